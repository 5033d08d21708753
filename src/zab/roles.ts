/** How a peer enters and leaves a role. Leaving is one act: the generation grows, so that nothing of the finished role takes effect. */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import { leaderOnFollowerInfo, tryFixEpoch } from './discovery.ts'
import { ownVote, startLooking } from './election.ts'
import type { Order } from './facts.ts'
import { keepMemory } from './memory.ts'
import type { Message } from './messages.ts'
import { type Leading, mark, type Peer } from './peer.ts'
import { relayEnds } from './relay.ts'
import { makeRelay } from './relay-state.ts'

export function startLeading(peer: Peer, orders: Order[]): void {
  peer.generation++
  const role: Leading = {
    kind: 'leading',
    phase: 'discovery',
    since: peer.now,
    calmAt: peer.now,
    summary: ownVote(peer),
    epoch: 0,
    promised: false,
    infos: new Map([[peer.options.id, peer.acceptedEpoch]]),
    epochAcks: new Set(),
    newLeaderAcks: new Set(),
    learners: new Map(),
    gone: new Map(),
    counter: 0,
    batch: [],
    batchBytes: 0,
    awaiting: null,
    queue: [],
    queueStart: 0,
    token: 0,
    pingedAt: peer.now,
    digest: null,
    toldAt: 0,
    syncs: [],
    change: null,
    handingOver: null,
  }
  peer.role = role
  mark(orders, 'leading-started')
  tryFixEpoch(peer, role, orders)
  // Followers that were quicker than this peer's own count.
  for (const [id, state] of peer.links) {
    if (state.early !== null && peer.role === role) {
      const early = state.early
      state.early = null
      leaderOnFollowerInfo(peer, role, id, state.link, { kind: 'followerInfo', ...early }, orders)
    }
  }
}

/** `forTree`: the log is right, the tree is not; only a snapshot mends that. */
export function startFollowing(peer: Peer, leader: ReplicaId, orders: Order[], insists = false, forTree = false): void {
  const state = peer.links.get(leader)
  if (state === undefined) return
  peer.generation++
  peer.nonce++
  for (const [id, other] of peer.links) {
    if (other.early !== null) refuse(peer, id, other.link, other.early.nonce, 'I follow somebody else', orders)
    other.early = null
  }
  peer.role = {
    kind: 'following',
    leader,
    head: null,
    link: state.link,
    nonce: peer.nonce,
    mode: 'observer',
    phase: 'discovery',
    epoch: 0,
    staged: null,
    heardAt: peer.now,
    progressAt: peer.now,
    calmAt: peer.now,
    requests: [],
    expected: null,
    differs: false,
    syncs: [],
    token: 0,
    relay: makeRelay(peer.now),
    wantedUntil: peer.now,
  }
  const message: Message = {
    kind: 'followerInfo',
    nonce: peer.nonce,
    acceptedEpoch: peer.acceptedEpoch,
    snapshotWanted: peer.snapshotWanted || forTree,
    demoted: peer.demoted,
    insists,
  }
  orders.push({ kind: 'send', to: leader, link: state.link, message })
}

/** Back to looking. A leader tells its learners, so that they need not wait for silence. */
export function stepDown(peer: Peer, reason: string, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'looking') return
  mark(orders, role.kind === 'leading' ? 'leader-stepped-down' : 'follower-stepped-down', reason)
  if (role.kind === 'leading') {
    for (const learner of role.learners.values()) refuse(peer, learner.id, learner.link, learner.nonce, reason, orders)
    if (role.change !== null && role.change.tag !== null) {
      orders.push({ kind: 'reconfigured', tag: role.change.tag, error: 'ConnectionLoss' })
    }
  }
  if (role.kind === 'leading') keepMemory(peer, orders)
  else relayEnds(peer, role, reason, orders)
  peer.generation++
  startLooking(peer, orders)
}

export function refuse(peer: Peer, to: ReplicaId, link: LinkId, nonce: number, reason: string, orders: Order[]): void {
  if (peer.links.get(to)?.link !== link) return
  orders.push({ kind: 'send', to, link, message: { kind: 'refuse', nonce, reason } })
}
