/**
 * Phase 0: fast leader election (ZooKeeper: FastLeaderElection). Rounds, votes ordered by (current epoch, last durable zxid, id),
 * a leader once a quorum of the configuration agrees in one round. Whatever it decides is only a hint: discovery makes it safe.
 *
 * Different from ZooKeeper: a settled vote counts only out of the leader's own mouth (a learner needs a link to the leader anyway), and
 * whoever is not a voter asks with state `observing` and votes nothing.
 */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { Order } from './facts.ts'
import { configOf, configZxid } from './history.ts'
import { isVoter, votersOf } from './membership.ts'
import { tellIfBehind } from './memory.ts'
import type { Notification } from './messages.ts'
import { looksElsewhere, onOffer, searchOn, takeOffer } from './parent.ts'
import { amVoter, chance, type Looking, makeLooking, mark, type Peer, type Vote } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { hasRoom } from './relay.ts'
import { startFollowing, startLeading } from './roles.ts'

/** Is `a` the better vote? */
export const beats = (a: Vote, b: Vote): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : a.zxid !== b.zxid ? a.zxid > b.zxid : a.leader > b.leader

const sameVote = (a: Vote, b: Vote): boolean => a.leader === b.leader && a.epoch === b.epoch && a.zxid === b.zxid

/** 1. The role has ended. Nothing is said before the disk has everything that was issued: a vote tells what is durable. */
export function startLooking(peer: Peer, orders: Order[]): void {
  peer.role = makeLooking(peer.options.id, peer.now)
  trySettle(peer, orders)
}

/** 2. The disk has caught up: vote for oneself, in a new round. */
export function trySettle(peer: Peer, orders: Order[]): void {
  const role = peer.role
  if (role.kind !== 'looking' || !role.settling || peer.pending.length > 0 || peer.halted) return
  role.settling = false
  searchOn(peer, orders)
  if (peer.role !== role) return
  if (peer.demoted && peer.round === 0) {
    orders.push({
      kind: 'notice',
      code: 'WentBackwards',
      reason: 'the end of the log was lost, or is older than it was',
    })
  }
  peer.round++
  const { preferred } = peer
  peer.preferred = null
  role.vote =
    preferred !== null && peer.now < preferred.until && peer.links.has(preferred.leader)
      ? { ...ownVote(peer), leader: preferred.leader }
      : ownVote(peer)
  role.votes.set(peer.options.id, role.vote)
  for (const [id, { early }] of peer.links) if (early !== null) countFollower(peer, role, id)
  role.pause = peer.options.timing.revote
  announce(peer, role, orders)
  decide(peer, role, orders)
}

/** The candidate is gone, or silent, or does not stand: whoever agreed on it would wait for it for ever. A new round, without it. */
export function candidateLost(peer: Peer, role: Looking, orders: Order[]): void {
  peer.round++
  role.votes.clear()
  mark(orders, 'candidate-lost')
  adopt(peer, role, ownVote(peer), orders)
  decide(peer, role, orders)
}

/** Somebody follows this peer already, from before or because it knew sooner: that is more than a vote. */
export function onEarlyFollower(peer: Peer, role: Looking, from: ReplicaId, orders: Order[]): void {
  mark(orders, 'early-follower')
  if (role.settling) return
  countFollower(peer, role, from)
  decide(peer, role, orders)
}

function countFollower(peer: Peer, role: Looking, from: ReplicaId): void {
  if (role.vote.leader === peer.options.id) role.votes.set(from, role.vote)
}

export const ownVote = (peer: Peer): Vote => ({
  leader: peer.options.id,
  epoch: peer.durable.currentEpoch,
  zxid: peer.durable.zxid,
})

/** Whose tree is wrong votes for others, and for itself only when nobody else came to lead: it may hold what nobody else in reach does. */
const stands = (peer: Peer, role: Looking): boolean =>
  (amVoter(peer) || isNeeded(peer)) && (!peer.diverged || peer.now - role.since > peer.options.timing.establish)

/**
 * Its vote was taken by a record that nobody may hold but itself: until that is committed it is the longest log that a quorum may need, so it
 * stands for election, without counting itself (Raft thesis 4.2.2). It steps down once the record is committed.
 */
function isNeeded(peer: Peer): boolean {
  const { history } = peer
  const before = history.configs.at(-2)?.config ?? null
  return !peer.demoted && configZxid(history) > peer.committed && isVoter(before, peer.options.id)
}

/** What this peer says when asked: its vote, or whom it has settled on. */
export function currentNotification(peer: Peer): Notification {
  const role = peer.role
  const about = (state: Notification['state'], vote: Vote, established: boolean): Notification => ({
    kind: 'notification',
    state,
    round: peer.round,
    leader: vote.leader,
    epoch: vote.epoch,
    zxid: vote.zxid,
    established,
    accepted: peer.durable.acceptedEpoch,
    room: role.kind === 'following' && hasRoom(peer, role),
  })
  if (role.kind === 'leading') return about('leading', role.summary, role.phase === 'broadcast')
  if (role.kind === 'following')
    return about('following', { ...ownVote(peer), leader: role.head ?? role.leader }, role.phase === 'broadcast')
  return about(stands(peer, role) ? 'looking' : 'observing', role.vote, false)
}

function announce(peer: Peer, role: Looking, orders: Order[]): void {
  const message = currentNotification(peer)
  for (const [to, { link }] of peer.links) orders.push({ kind: 'send', to, link, message })
  role.resendAt = peer.now + role.pause * (0.75 + chance(peer) / 2)
  role.pause = Math.min(role.pause * 2, peer.options.timing.revoteMax)
}

/** 3. A notification. Whoever asks gets an answer; a looking voter counts it. */
export function onNotification(peer: Peer, from: ReplicaId, link: LinkId, n: Notification, orders: Order[]): void {
  const role = peer.role
  // Whoever looks has everything on its disk, and a vote for oneself says what that is.
  const looks = n.state === 'looking' || n.state === 'observing'
  const says = { acceptedEpoch: n.accepted, ...(n.leader === from ? { currentEpoch: n.epoch, zxid: n.zxid } : {}) }
  // One that is no voter by its own log may have forgotten that it is one; or it knows, and is answered as others are.
  if (looks && tellIfBehind(peer, from, link, says, orders) && n.state === 'looking') return
  const answer = (): void => {
    orders.push({ kind: 'send', to: from, link, message: currentNotification(peer) })
  }
  if (role.kind !== 'looking') {
    if (n.state === 'looking' || n.state === 'observing') {
      // A learner of ours that looks around has left: its acknowledgements have ended (ZOOKEEPER-3109).
      const { learners } = role.kind === 'leading' ? role : role.relay
      if (learners.get(from)?.link === link) {
        learners.delete(from)
        mark(orders, 'disloyal-learner')
      }
      answer()
    }
    return
  }
  if (role.settling) return
  onOffer(peer, role, from, n)
  const state = peer.links.get(from)
  if (state !== undefined && n.state !== 'following') state.early = null
  if (n.state === 'leading' && n.leader === from) {
    if (looksElsewhere(peer, from)) return
    // It leads: join it if it is established, or if its history is no worse than ours (it may need us for its quorum).
    const theirs: Vote = { leader: from, epoch: n.epoch, zxid: n.zxid }
    if (n.established || (!peer.demoted && !beats({ ...ownVote(peer), leader: from }, theirs))) {
      mark(orders, 'vote-joined-existing-leader')
      startFollowing(peer, from, orders)
    }
    return
  }
  if (n.state === 'looking' || n.state === 'observing') onVote(peer, role, from, n, answer, orders)
}

function onVote(
  peer: Peer,
  role: Looking,
  from: ReplicaId,
  n: Notification,
  answer: () => void,
  orders: Order[],
): void {
  // It may have forgotten what it promised: it has no say in who leads.
  if (peer.demoted) return
  if (n.round > peer.round + ROUND_JUMP_MAX) return jumpAfter(peer, role, n, orders)
  const vote: Vote = { leader: n.leader, epoch: n.epoch, zxid: n.zxid }
  if (!stands(peer, role)) return support(peer, role, n, vote, answer, orders)
  const empty = n.state === 'observing' && n.leader === from
  if (empty) role.votes.delete(from)
  if (empty && role.vote.leader === from) return candidateLost(peer, role, orders)
  if (n.round < peer.round || empty) return answer()
  const reachable = isReachable(peer, vote)
  if (n.round > peer.round) {
    peer.round = n.round
    role.votes.clear()
    const own = ownVote(peer)
    adopt(peer, role, reachable && beats(vote, own) ? vote : own, orders)
  } else if (reachable && beats(vote, role.vote)) {
    adopt(peer, role, vote, orders)
  }
  role.votes.set(from, vote)
  decide(peer, role, orders)
}

/**
 * Whoever is no voter by its own log, or has a wrong tree, still supports a candidate that knows no less: its log may be behind a joint configuration in which
 * it counts (Raft thesis 4.2.2). It never proposes itself; who counts is up to whoever counts. As long as it supports nobody it has nothing to
 * say and no round of its own: a candidate that needs it may be in a lower one. To those whom it cannot support it says nothing, or two of them in
 * different rounds would have it announce for ever.
 */
function support(peer: Peer, role: Looking, n: Notification, vote: Vote, answer: () => void, orders: Order[]): void {
  if (n.state !== 'looking' || !isReachable(peer, vote) || !noWorse(vote, ownVote(peer))) return
  // Somebody would have it lead, by a hand-over or from when it stood: it says once that it does not stand.
  if (vote.leader === peer.options.id) return answer()
  const free = role.vote.leader === peer.options.id
  if (!free && n.round < peer.round) return answer()
  if (!free && n.round === peer.round && !beats(vote, role.vote)) return
  peer.round = n.round
  role.votes.clear()
  adopt(peer, role, vote, orders)
}

/** A vote is a will to follow: whoever cannot reach the candidate, or hears nothing of it any more, does not vote for it. */
const isReachable = (peer: Peer, { leader }: Vote): boolean => leader === peer.options.id || speaks(peer, leader)

/** Whoever looks says so every few seconds, and whoever leads answers. A frozen page has links, and says nothing. */
function speaks(peer: Peer, id: ReplicaId): boolean {
  const link = peer.links.get(id)
  return link !== undefined && peer.now - link.heardAt <= peer.options.timing.establish
}

/** A round further ahead is not taken at once: one forged number must not use up all rounds. */
const ROUND_JUMP_MAX = 2 ** 32

/**
 * As far as it may, without a word on the vote: whoever is there may have been brought there by a liar, and comes back no more. To stay behind
 * would keep the two apart for ever.
 */
function jumpAfter(peer: Peer, role: Looking, n: Notification, orders: Order[]): void {
  mark(orders, 'round-jump-refused', String(n.round))
  peer.round += ROUND_JUMP_MAX
  if (!stands(peer, role)) return
  role.votes.clear()
  adopt(peer, role, ownVote(peer), orders)
}

const noWorse = (a: Vote, b: Vote): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.zxid >= b.zxid)

function adopt(peer: Peer, role: Looking, vote: Vote, orders: Order[]): void {
  role.vote = vote
  role.votes.set(peer.options.id, vote)
  role.agreedAt = null
  role.pause = peer.options.timing.revote
  announce(peer, role, orders)
}

/** 4. A quorum agrees: wait a little for a better vote, unless everybody in reach has spoken. */
export function decide(peer: Peer, role: Looking, orders: Order[]): void {
  const config = configOf(peer.history)
  if (config === null || !stands(peer, role)) return
  const agrees = (id: ReplicaId): boolean => {
    const vote = role.votes.get(id)
    return vote !== undefined && sameVote(vote, role.vote)
  }
  if (!hasQuorum(config, agrees)) {
    role.agreedAt = null
    return
  }
  role.agreedAt ??= peer.now
  const reachable = votersOf(config).filter((id) => id === peer.options.id || peer.links.has(id))
  if (!reachable.every(agrees) && peer.now - role.agreedAt < peer.options.timing.finalizeVote) return
  if (role.vote.leader === peer.options.id) startLeading(peer, orders)
  else startFollowing(peer, role.vote.leader, orders)
}

/** 5. Time: decide after the wait, or ask again, less and less often. */
export function lookingOnTick(peer: Peer, role: Looking, orders: Order[]): void {
  if (role.settling) return trySettle(peer, orders)
  searchOn(peer, orders)
  if (peer.role !== role) return
  if (isReachable(peer, role.vote)) decide(peer, role, orders)
  else candidateLost(peer, role, orders)
  if (peer.role === role) takeOffer(peer, role, orders)
  if (peer.role === role && peer.now >= role.resendAt) announce(peer, role, orders)
}
