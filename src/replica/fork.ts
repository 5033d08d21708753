import { epochOf, makeZxid, nextZxid, type Zxid } from '../base/zxid.ts'
import type { ReplicaServer } from '../server/orders.ts'
import type { Beginning } from '../storage/fork.ts'
import type { Identity } from '../storage/names.ts'
import type { Recovered } from '../storage/txn-log.ts'
import { foundingEntries } from '../zab/membership.ts'
import { deliverEntries } from './delivery.ts'

/**
 * What an ensemble begins with whose parent cannot decide anything any more: all that this log holds, whether a quorum is known to have it or
 * not, for what was acknowledged may stand at its end. The sessions of the parent are over, as if a leader of the next epoch had ended
 * them: their pages are elsewhere. `child` votes alone. `now`, `wall`: milliseconds, monotonic and since 1970.
 */
export function fork(
  parent: Recovered,
  child: Identity,
  server: ReplicaServer,
  { now, wall }: { readonly now: number; readonly wall: number },
): Beginning {
  server.restore(parent.base, parent.snapshot)
  deliverEntries(server, parent.entries)
  const last = parent.entries.at(-1)?.zxid ?? parent.base
  const epoch = Math.max(parent.acceptedEpoch, parent.currentEpoch, epochOf(last)) + 1
  const records = foundingEntries(child.ensemble, child.replica, [makeZxid(epoch, 1), makeZxid(epoch, 2)])
  deliverEntries(server, records)
  const [config] = records
  if (config === undefined) throw new Error('a founding without a configuration')
  let zxid: Zxid = makeZxid(epoch, 2)
  server.startLeading(now)
  for (const { id } of server.status().sessions) {
    for (const order of server.endSession(id)) {
      if (order.kind !== 'request') continue
      zxid = nextZxid(zxid)
      server.apply(zxid, server.prepare(zxid, order.bytes, now, wall))
    }
  }
  server.stopLeading()
  return { epoch, base: zxid, config, snapshot: server.snapshot() }
}
