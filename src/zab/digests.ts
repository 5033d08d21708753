/**
 * Does everybody apply the same? With the heartbeat, a leader says what its tree's digest is at a zxid; whoever differs there serves nobody
 * from then on. If a quorum contradicts the leader, it is the leader that is wrong; else it is the learner. The wrong one takes a SNAP: the
 * log is the same, so neither DIFF nor TRUNC would mend it. Because the log is right, whoever is wrong goes on voting and acknowledging:
 * elections and synchronization know nothing of trees. ZooKeeper: DataTree.compareDigest, which only reports.
 */
import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { prepareNext } from './broadcast.ts'
import type { Order } from './facts.ts'
import { onStepDownRequested, successor } from './handover.ts'
import { configOf } from './history.ts'
import type { Digest, Diverged } from './messages.ts'
import { type Following, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { relayEnds } from './relay.ts'
import { startFollowing, stepDown } from './roles.ts'
import { leaderSyncLearner } from './synchronization.ts'

/** A learner that differs is kept for so many heartbeats: others may say the same, and then it is the leader that is wrong. */
const HEARTBEATS_TO_AGREE = 6

/** What the own tree's digest is: a leader tells it, a learner compares it with what it was told. */
export function onDigested(peer: Peer, zxid: Zxid, digest: string, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading' && role.phase === 'broadcast') {
    if (role.digest === null) role.toldAt = peer.now
    role.digest = { zxid, digest }
    for (const learner of role.learners.values()) if (learner.stage === 'active') tellDigest(role, learner, orders)
  } else if (role.kind === 'following' && role.expected?.zxid === zxid) {
    const same = role.expected.digest === digest
    role.expected = null
    if (!same) return differs(peer, role, zxid, digest, orders)
    if (role.differs) return
    if (peer.diverged) mark(orders, 'diverged-no-more')
    peer.diverged = false
    // Those below a relay are held against a tree that agrees with the leader's.
    for (const learner of role.relay.learners.values())
      if (learner.stage === 'active') tellDigest({ digest: { zxid, digest } }, learner, orders)
  }
}

/** Leader: what it told last, also for who comes later. */
export function tellDigest(role: Pick<Leading, 'digest'>, { id: to, link, nonce }: Learner, orders: Order[]): void {
  if (role.digest !== null) orders.push({ kind: 'send', to, link, message: { kind: 'digest', nonce, ...role.digest } })
}

/** Learner: to be compared once exactly this is applied. One comparison at a time. */
export function learnerOnDigest(peer: Peer, role: Following, { zxid, digest }: Digest, orders: Order[]): void {
  if (role.phase !== 'broadcast') return stepDown(peer, 'Digest out of turn', orders)
  if (role.expected !== null && role.expected.zxid > peer.delivered) return
  role.expected = { zxid, digest }
  orders.push({ kind: 'digestAt', zxid })
}

function differs(peer: Peer, role: Following, zxid: Zxid, digest: string, orders: Order[]): void {
  mark(orders, 'digest-differs')
  role.differs = true
  relayEnds(peer, role, 'its tree is in doubt', orders)
  role.relay.learners.clear()
  const { leader: to, link, nonce } = role
  orders.push({ kind: 'send', to, link, message: { kind: 'diverged', nonce, zxid, digest } })
}

/** Wrong: it serves nobody until it has a snapshot, or agrees with a leader again. */
function quarantine(peer: Peer, reason: string, orders: Order[]): void {
  if (peer.diverged) return
  peer.diverged = true
  peer.yielded = false
  orders.push({ kind: 'notice', code: 'Diverged', reason })
}

/** Leader or relay: a learner says something else. */
export function contradicted(peer: Peer, learner: Learner, { zxid, digest }: Diverged, orders: Order[]): void {
  mark(orders, 'contradicted')
  learner.contradicts = { zxid, digest, since: learner.contradicts?.since ?? peer.now }
}

/** Leader: a quorum that agrees on something else is right. */
export function leaderOnDiverged(peer: Peer, role: Leading, learner: Learner, said: Diverged, orders: Order[]): void {
  const { zxid, digest } = said
  contradicted(peer, learner, said, orders)
  const config = configOf(peer.history)
  const agree =
    config !== null &&
    hasQuorum(config, (id) => {
      const other = role.learners.get(id)?.contradicts
      return other?.zxid === zxid && other.digest === digest
    })
  if (!agree) return
  mark(orders, 'contradicted-by-a-quorum')
  quarantine(peer, 'a quorum agrees on another tree', orders)
  stepDown(peer, 'a quorum agrees on another tree', orders)
}

/**
 * Leader, with time: a learner that no quorum agrees with is the one that is wrong. A leader that was contradicted before, and leads because
 * nobody else could, hands over to whoever has caught up with its log. If there is nobody, or it comes back to it, there is no better tree.
 */
export function judgeTrees(peer: Peer, role: Leading, orders: Order[]): void {
  const wait = HEARTBEATS_TO_AGREE * peer.options.timing.heartbeat
  if (peer.diverged && !peer.yielded && role.handingOver === null && successor(peer, role) !== null) {
    mark(orders, 'diverged-hands-over')
    peer.yielded = true
    return onStepDownRequested(peer, 'a quorum agreed on another tree', orders)
  }
  if (peer.diverged && role.handingOver === null && role.digest !== null && peer.now - role.toldAt >= wait) {
    mark(orders, 'diverged-leads-on')
    peer.diverged = false
    for (const learner of role.learners.values())
      if (learner.stage === 'promised') leaderSyncLearner(peer, role, learner, orders)
    prepareNext(peer, role, orders)
  }
  quarantineBelow(peer, role.learners, orders)
}

/** Leader or relay: whoever has contradicted for long enough is wrong. */
export function quarantineBelow(peer: Peer, learners: ReadonlyMap<ReplicaId, Learner>, orders: Order[]): void {
  const wait = HEARTBEATS_TO_AGREE * peer.options.timing.heartbeat
  for (const learner of learners.values()) {
    if (learner.contradicts === null || peer.now - learner.contradicts.since < wait) continue
    learner.contradicts = null
    const { id: to, link, nonce } = learner
    orders.push({ kind: 'send', to, link, message: { kind: 'quarantine', nonce } })
  }
}

/** Learner: it is the one that is wrong. It asks the same leader anew, without looking around: the leader may need it for its quorum. */
export function learnerOnQuarantine(peer: Peer, role: Following, orders: Order[]): void {
  if (!role.differs) return stepDown(peer, 'Quarantine out of turn', orders)
  quarantine(peer, 'its tree differs from that of the others', orders)
  mark(orders, 'snapshot-for-the-tree')
  // The leader had taken it before: being full now is no reason to send it elsewhere, where it would ask for its log only.
  startFollowing(peer, role.leader, orders, true, true)
}
