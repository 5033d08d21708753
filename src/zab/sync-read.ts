/**
 * sync as a quorum round (ReadIndex, Raft thesis 6.4; ZooKeeper answers without asking: ZOOKEEPER-1675): the leader notes what is committed,
 * makes sure that a quorum still follows it, and says how far the asker must have delivered.
 */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Order } from './facts.ts'
import { forwardRequests } from './forward.ts'
import { configOf } from './history.ts'
import type { Ping, SyncReply } from './messages.ts'
import { namedObservers, wantsObservers } from './parent.ts'
import { counted, type Following, type Leading, mark, type Peer, speaksVersion } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { relaySyncReply } from './relay.ts'
import { RELAYED_TAGS } from './relay-state.ts'

/** 1. A client of this replica asks. */
export function onSyncRequested(peer: Peer, tag: number, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading' && role.phase === 'broadcast') leaderOnSync(peer, role, tag, peer.options.id, null)
  else if (role.kind === 'following' && role.phase === 'broadcast') {
    // Behind the requests of this turn: order within a session holds.
    forwardRequests(role, orders)
    orders.push({
      kind: 'send',
      to: role.leader,
      link: role.link,
      message: { kind: 'syncRequest', nonce: role.nonce, tag },
    })
  } else mark(orders, 'sync-without-leader')
}

/** 2. Leader: everything acknowledged so far is committed here. The answer waits for a round that begins now. */
export function leaderOnSync(peer: Peer, role: Leading, tag: number, from: ReplicaId, link: LinkId | null): void {
  role.syncs.push({ tag, from, link, zxid: peer.committed, token: 0 })
}

/** 3. Leader, at the end of the turn: one round for all that gathered. */
function startRound(peer: Peer, role: Leading, orders: Order[]): void {
  if (!role.syncs.some((one) => one.token === 0)) return
  pingAll(peer, role, orders)
  for (const one of role.syncs) if (one.token === 0) one.token = role.token
}

export function pingAll(peer: Peer, role: Leading, orders: Order[]): void {
  role.token++
  role.pingedAt = peer.now
  const wanted = wantsObservers(peer, role)
  const named = namedObservers(peer, role)
  for (const { id: to, link, nonce, mode } of role.learners.values()) {
    const ping: Ping = { kind: 'ping', nonce, token: role.token, committed: peer.committed, wanted }
    const more = named.length > 0 && mode === 'follower' && speaksVersion(peer, to, 2)
    orders.push({ kind: 'send', to, link, message: more ? { ...ping, named } : ping })
  }
}

/** 4. Leader: rounds that a quorum answered. */
export function leaderAnswerSyncs(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (role.syncs.length === 0 || config === null) return
  while (role.syncs.length > 0) {
    const first = role.syncs[0] as Leading['syncs'][number]
    const confirmed =
      first.token !== 0 &&
      hasQuorum(config, (id) => {
        const learner = counted(role, id)
        return (
          id === peer.options.id ||
          (learner !== undefined && learner.stage === 'active' && learner.token >= first.token)
        )
      })
    if (!confirmed) return
    if (first.link === null) {
      // The leader delivers what is committed as soon as its own disk has it.
      if (peer.delivered < first.zxid) return
      orders.push({ kind: 'synced', tag: first.tag })
    } else {
      const learner = role.learners.get(first.from)
      if (learner !== undefined && learner.link === first.link) {
        orders.push({
          kind: 'send',
          to: first.from,
          link: first.link,
          message: { kind: 'syncReply', nonce: learner.nonce, tag: first.tag, zxid: first.zxid },
        })
      }
    }
    role.syncs.shift()
  }
}

/** 5. Learner: how far to deliver first. */
export function learnerOnSyncReply(role: Following, reply: SyncReply, orders: Order[]): void {
  if (reply.tag >= RELAYED_TAGS) return relaySyncReply(role, reply, orders)
  role.syncs.push({ tag: reply.tag, zxid: reply.zxid })
}

/** 6. At the end of each turn. */
export function answerSyncs(peer: Peer, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading' && role.phase === 'broadcast') {
    startRound(peer, role, orders)
    leaderAnswerSyncs(peer, role, orders)
  } else if (role.kind === 'following') {
    while (role.syncs.length > 0 && peer.delivered >= (role.syncs[0] as { zxid: Zxid }).zxid) {
      orders.push({ kind: 'synced', tag: (role.syncs.shift() as { tag: number }).tag })
    }
  }
}
