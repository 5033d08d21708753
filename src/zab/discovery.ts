/**
 * Phase 1: a new epoch. Followers report the last epoch that they promised, the would-be leader proposes a higher one, they promise it
 * durably and tell their history; the leader gives up if somebody in its quorum knows more than it does.
 * ZooKeeper: Leader.getEpochToPropose, waitForEpochAck; Learner.registerWithLeader.
 */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { EPOCH_MAX } from '../base/zxid.ts'
import { beats } from './election.ts'
import type { Order } from './facts.ts'
import { configOf, epochEnds } from './history.ts'
import { isVoter } from './membership.ts'
import { remember, takeMemory, tellIfBehind } from './memory.ts'
import type { AckEpoch, FollowerInfo, LeaderInfo } from './messages.ts'
import { type Following, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { refuse, stepDown } from './roles.ts'
import { leaderSyncAll, leaderSyncLearner } from './synchronization.ts'
import { write } from './writes.ts'

/** 1. Leader: a learner reports. Before the epoch is fixed, voters' reports count; afterwards everybody gets the fixed one. */
export function leaderOnFollowerInfo(
  peer: Peer,
  role: Leading,
  from: ReplicaId,
  link: LinkId,
  info: FollowerInfo,
  orders: Order[],
): void {
  const voter = isVoter(configOf(peer.history), from)
  const furthest = peer.acceptedEpoch + (voter ? LIMITS.epochJumpMax : OBSERVER_AHEAD_MAX)
  if (info.acceptedEpoch > furthest || info.acceptedEpoch >= EPOCH_MAX) {
    mark(orders, 'epoch-jump-refused', String(info.acceptedEpoch))
    refuse(peer, from, link, info.nonce, 'epoch too far ahead', orders)
    if (voter && info.acceptedEpoch < EPOCH_MAX) goAfter(peer, info.acceptedEpoch, 'epoch too far ahead', orders)
    return
  }
  if (!info.demoted && tellIfBehind(peer, from, link, { acceptedEpoch: info.acceptedEpoch }, orders)) {
    return refuse(peer, from, link, info.nonce, 'your store went backwards', orders)
  }
  if (info.demoted) for (const counts of [role.epochAcks, role.newLeaderAcks]) counts.delete(from)
  const learner: Learner = {
    id: from,
    link,
    nonce: info.nonce,
    mode: voter ? 'follower' : 'observer',
    stage: 'info',
    snapshotWanted: info.snapshotWanted,
    lastZxid: 0 as Learner['lastZxid'],
    epochEnds: [],
    acked: 0 as Learner['acked'],
    told: 0 as Learner['told'],
    heardAt: peer.now,
    token: 0,
    since: peer.now,
    activeAt: 0,
    contradicts: null,
    demoted: info.demoted,
    promised: info.acceptedEpoch,
    insists: info.insists,
    readmission: null,
  }
  role.learners.set(from, learner)
  role.gone.delete(from)
  if (role.epoch !== 0 && info.acceptedEpoch > role.epoch) {
    // It promised a later epoch to somebody else and can never take this one: only a higher epoch lets it in.
    const reason = 'a learner promised a later epoch'
    return voter ? goAfter(peer, info.acceptedEpoch, reason, orders) : stepDown(peer, reason, orders)
  }
  if (role.promised) return sendLeaderInfo(peer, role, learner, orders)
  if (voter && !info.demoted && role.epoch === 0) {
    role.infos.set(from, info.acceptedEpoch)
    tryFixEpoch(peer, role, orders)
  }
}

/**
 * What an observer may have promised to a leader that never came to lead. It has no say in who leads: one that was brought further ahead, or says
 * so, must not depose leader after leader.
 */
const OBSERVER_AHEAD_MAX = 16

/**
 * Somebody who counts has promised a later epoch, and can take that back no more: to stay behind would keep the two apart for ever. So this one
 * promises as much too, to nobody, and the next attempt begins there. One forged number brings nobody further than `epochJumpMax`.
 */
function goAfter(peer: Peer, epoch: number, reason: string, orders: Order[]): void {
  const promise = Math.min(epoch, peer.acceptedEpoch + LIMITS.epochJumpMax, EPOCH_MAX - 1)
  // Before the role ends: the next one begins when this is on the disk.
  if (promise > peer.acceptedEpoch) {
    write(peer, [{ kind: 'acceptedEpoch', epoch: promise }], { kind: 'nothing' }, orders)
  }
  stepDown(peer, reason, orders)
}

/** 2. Leader: a quorum has reported; the new epoch is one above all of them (ZOOKEEPER-1343). It promises first, durably. */
export function tryFixEpoch(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (role.epoch !== 0 || config === null || !hasQuorum(config, (id) => role.infos.has(id))) return
  role.epoch = Math.max(...role.infos.values()) + 1
  write(
    peer,
    [{ kind: 'acceptedEpoch', epoch: role.epoch }],
    { kind: 'epochPromised', generation: peer.generation },
    orders,
  )
}

/** 3. Leader: its own promise is durable. */
export function leaderOnEpochPromised(peer: Peer, role: Leading, orders: Order[]): void {
  role.promised = true
  role.epochAcks.add(peer.options.id)
  for (const learner of role.learners.values())
    if (learner.stage === 'info') sendLeaderInfo(peer, role, learner, orders)
  tryTakeEpoch(peer, role, orders)
}

function sendLeaderInfo(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  learner.stage = 'promising'
  if (peer.links.get(learner.id)?.link !== learner.link) return
  orders.push({
    kind: 'send',
    to: learner.id,
    link: learner.link,
    message: { kind: 'leaderInfo', nonce: learner.nonce, epoch: role.epoch, leader: peer.options.id },
  })
}

/** 4. Learner: the promise. Durable before it is said; an epoch promised before is no second acknowledgement. */
export function learnerOnLeaderInfo(peer: Peer, role: Following, info: LeaderInfo, orders: Order[]): void {
  if (role.phase !== 'discovery' || role.epoch !== 0) return stepDown(peer, 'LeaderInfo out of turn', orders)
  if (info.epoch < peer.acceptedEpoch) return stepDown(peer, 'the leader is of an earlier epoch', orders)
  if (info.epoch > peer.acceptedEpoch + LIMITS.epochJumpMax) {
    mark(orders, 'epoch-jump-refused', String(info.epoch))
    return goAfter(peer, info.epoch, 'epoch too far ahead', orders)
  }
  const counts = info.epoch > peer.acceptedEpoch
  role.epoch = info.epoch
  role.head = info.leader
  role.progressAt = peer.now
  if (!counts) {
    mark(orders, 'ackepoch-again')
    return sendAckEpoch(peer, role, false, orders)
  }
  write(
    peer,
    [{ kind: 'acceptedEpoch', epoch: info.epoch }],
    { kind: 'ackEpoch', generation: peer.generation, counts },
    orders,
  )
}

/** 5. Learner: the promise is durable: say it, with the history as the disk has it. */
export function sendAckEpoch(peer: Peer, role: Following, counts: boolean, orders: Order[]): void {
  role.phase = 'synchronization'
  orders.push({
    kind: 'send',
    to: role.leader,
    link: role.link,
    message: {
      kind: 'ackEpoch',
      nonce: role.nonce,
      currentEpoch: counts ? peer.durable.currentEpoch : -1,
      lastZxid: peer.durable.zxid,
      epochEnds: epochEnds(peer.history),
    },
  })
}

/** 6. Leader: a promise. Whoever knows more than the leader ends its attempt: a committed transaction could be lost. */
export function leaderOnAckEpoch(peer: Peer, role: Leading, learner: Learner, ack: AckEpoch, orders: Order[]): void {
  if (learner.stage !== 'promising') return mark(orders, 'ackepoch-out-of-turn')
  // One that promised before does not say its current epoch: it has been in this one, if it was counted in it.
  const currentEpoch = ack.currentEpoch === -1 ? role.epoch : ack.currentEpoch
  if (!learner.demoted && tellIfBehind(peer, learner.id, learner.link, { currentEpoch, zxid: ack.lastZxid }, orders)) {
    role.learners.delete(learner.id)
    for (const counts of [role.epochAcks, role.newLeaderAcks]) counts.delete(learner.id)
    return refuse(peer, learner.id, learner.link, learner.nonce, 'your store went backwards', orders)
  }
  learner.stage = 'promised'
  learner.lastZxid = ack.lastZxid
  learner.epochEnds = ack.epochEnds
  const counts = ack.currentEpoch !== -1 && !learner.demoted && isVoter(configOf(peer.history), learner.id)
  if (role.phase === 'discovery' && counts) {
    if (beats({ leader: peer.options.id, epoch: ack.currentEpoch, zxid: ack.lastZxid }, role.summary)) {
      mark(orders, 'follower-ahead')
      return stepDown(peer, 'a follower knows more', orders)
    }
    role.epochAcks.add(learner.id)
    remember(peer, learner.id, { acceptedEpoch: role.epoch, currentEpoch, zxid: ack.lastZxid })
    return tryTakeEpoch(peer, role, orders)
  }
  if (role.phase !== 'discovery') leaderSyncLearner(peer, role, learner, orders)
}

/** 7. Leader: a quorum promised and nobody in it knows more. It takes the epoch, durably. */
function tryTakeEpoch(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (config === null || role.phase !== 'discovery' || peer.currentEpoch === role.epoch) return
  if (!hasQuorum(config, (id) => role.epochAcks.has(id))) return
  write(
    peer,
    [{ kind: 'currentEpoch', epoch: role.epoch }, ...takeMemory(peer)],
    { kind: 'epochTaken', generation: peer.generation },
    orders,
  )
}

/** 8. Leader: the epoch is its own: established in ZooKeeper's sense. Synchronization begins. */
export function leaderOnEpochTaken(peer: Peer, role: Leading, orders: Order[]): void {
  role.phase = 'synchronization'
  role.newLeaderAcks.add(peer.options.id)
  mark(orders, 'established')
  leaderSyncAll(peer, role, orders)
}
