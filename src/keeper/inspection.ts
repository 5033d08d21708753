import { formatZxid } from '../base/zxid.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { ReplicaState } from '../replica/api.ts'
import type { Started } from '../replica/service-api.ts'
import type { Inspection } from './api.ts'

const hex = (id: bigint): string => `0x${BigInt.asUintN(64, id).toString(16)}`

/** What worker and page know of this page's replica, in one. */
export function inspection(
  name: string,
  started: Started,
  state: ReplicaState,
  wires: ReturnType<Mesh['status']>,
): Inspection {
  const { server } = state
  const open = new Set(state.links.map(({ peer }) => peer))
  return {
    ensemble: name,
    ensembleId: started.ensemble,
    replica: started.replica,
    forkedFrom:
      started.forkedFrom === null
        ? null
        : { ensemble: started.forkedFrom.ensemble, zxid: formatZxid(started.forkedFrom.zxid) },
    incarnation: started.incarnation,
    browser: started.browser,
    role: state.role,
    leader: state.leader,
    parent: state.parent,
    epoch: state.epoch,
    zxid: {
      last: formatZxid(state.zxid.last),
      durable: formatZxid(state.zxid.durable),
      committed: formatZxid(state.zxid.committed),
      applied: formatZxid(state.zxid.applied),
    },
    voters: state.voters,
    joint: state.joint,
    links: [
      ...state.links.map(({ peer, bufferedBytes, sent, received }) => ({
        peer,
        state: 'open' as const,
        transferred: wires.transferred.get(peer) ?? false,
        bufferedBytes,
        sent,
        received,
      })),
      ...wires.connecting
        .filter((peer) => !open.has(peer))
        .map((peer) => ({
          peer,
          state: 'connecting' as const,
          transferred: wires.transferred.get(peer) ?? false,
          bufferedBytes: 0,
          sent: 0,
          received: 0,
        })),
    ],
    sessions: server.sessions.map((session) => ({ ...session, id: hex(session.id) })),
    tree: { znodes: server.znodes, dataBytes: server.dataBytes, watches: server.watches, digest: server.digest },
    storage: state.storage,
    marks: state.marks,
  }
}
