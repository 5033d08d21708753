import type { ReplicaId } from '../base/ids.ts'
import type { ReplicaServer } from '../server/orders.ts'
import { configOf, lastZxid } from '../zab/history.ts'
import { FIRST_FORMAT, formatOf } from '../zab/membership.ts'
import type { Peer } from '../zab/peer.ts'
import { aboveOf } from './announcer.ts'
import type { ReplicaState } from './api.ts'
import type { Outbox } from './outbox.ts'

/** The replica as plain data. */
export function inspectReplica(
  peer: Peer,
  server: ReplicaServer,
  role: ReplicaState['role'],
  leader: ReplicaId | null,
  serving: boolean,
  outbox: Outbox,
  marks: ReadonlyMap<string, number>,
  storage: ReplicaState['storage'],
): ReplicaState {
  const config = configOf(peer.history)
  return {
    role,
    leader,
    ...aboveOf(peer),
    serving,
    epoch: { accepted: peer.acceptedEpoch, current: peer.currentEpoch },
    zxid: {
      last: lastZxid(peer.history),
      durable: peer.durable.zxid,
      committed: peer.committed,
      applied: server.applied,
    },
    voters: config?.voters ?? [],
    joint: config !== null && config.old !== null,
    demoted: peer.demoted,
    format: config === null ? FIRST_FORMAT : formatOf(config),
    links: outbox.links().map((link) => ({
      peer: link.peer,
      link: link.link,
      bufferedBytes: link.bufferedBytes,
      sent: link.sent,
      received: link.received,
    })),
    server: server.status(),
    marks: Object.fromEntries(marks),
    storage,
  }
}
