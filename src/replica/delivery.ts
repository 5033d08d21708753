import { formatZxid, type Zxid } from '../base/zxid.ts'
import type { ReplicaServer, ServerOrder } from '../server/orders.ts'
import type { Entry } from '../zab/entry.ts'
import { decodeConfig } from '../zab/membership.ts'

/** Committed entries, in order: txns to the tree, configurations to /zookeeper/config. */
export function deliverEntries(
  server: ReplicaServer,
  entries: readonly Entry[],
  applied: (zxid: Zxid) => void = () => undefined,
): ServerOrder[] {
  const orders: ServerOrder[] = []
  for (const entry of entries) {
    const more =
      entry.kind === 'txn' ? server.apply(entry.zxid, entry.bytes) : server.applyConfig(entry.zxid, configText(entry))
    for (const order of more) orders.push(order)
    applied(entry.zxid)
  }
  return orders
}

/** ZooKeeper's form: a line a member, then the version. A format record changes nothing there. */
function configText(entry: Entry): string {
  if (entry.kind !== 'config') return ''
  const { voters, old } = decodeConfig(entry.bytes)
  const lines = voters.map((id) => `server.${id}=tab:participant`)
  for (const id of old ?? []) lines.push(`old.${id}=tab:participant`)
  return `${lines.join('\n')}\nversion=${formatZxid(entry.zxid)}`
}
