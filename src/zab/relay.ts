/**
 * A follower with observers of its own. It tells them only what it has delivered itself, in the epoch that it follows in, and passes on
 * what they ask; it promises and acknowledges nothing in their name. When it stops following, it says so. ZooKeeper: ObserverMaster.
 */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import { epochOf, type Zxid } from '../base/zxid.ts'
import { contradicted, quarantineBelow } from './digests.ts'
import type { Order } from './facts.ts'
import { forwardRequests } from './forward.ts'
import { configEntryAt, configOf, configZxid, entriesBetween } from './history.ts'
import { isVoter } from './membership.ts'
import type {
  Ack,
  AckEpoch,
  AckNewLeader,
  Diverged,
  FollowerInfo,
  Message,
  Pong,
  Readmitted,
  Request,
  SyncReply,
  SyncRequest,
} from './messages.ts'
import { redirect } from './parent.ts'
import { amVoter, type Following, isSound, type Learner, mark, type Peer } from './peer.ts'
import { refuse } from './roles.ts'
import { pongOf } from './sight.ts'
import { batches, planSync } from './synchronization.ts'

/** Rounds of pings that may be unanswered (6 s at the usual heartbeat: more than slow links take); a learner that reads slower is let go and synchronizes again. */
const UNANSWERED_MAX = 24

/** Does this follower take one more observer? */
export function hasRoom(peer: Peer, role: Following): boolean {
  return amVoter(peer) && isSound(peer, role) && role.relay.learners.size < peer.options.observersMax
}

/** 1. An observer asks to follow the follower. It is answered when the follower itself is up to date. */
export function relayOnFollowerInfo(
  peer: Peer,
  role: Following,
  from: ReplicaId,
  link: LinkId,
  info: FollowerInfo,
  orders: Order[],
): void {
  const { learners } = role.relay
  learners.delete(from)
  if (
    !amVoter(peer) ||
    !isSound(peer, role) ||
    info.demoted ||
    from === role.leader ||
    isVoter(configOf(peer.history), from)
  )
    return refuse(peer, from, link, info.nonce, 'I follow somebody else', orders)
  if (learners.size >= peer.options.observersMax) {
    mark(orders, 'relay-full')
    return redirect(peer, { id: from, link, nonce: info.nonce }, leaderOf(role), [], orders)
  }
  learners.set(from, {
    id: from,
    link,
    nonce: info.nonce,
    mode: 'observer',
    stage: 'info',
    snapshotWanted: info.snapshotWanted,
    lastZxid: 0 as Zxid,
    epochEnds: [],
    acked: 0 as Zxid,
    told: 0 as Zxid,
    heardAt: peer.now,
    token: 0,
    since: peer.now,
    activeAt: 0,
    contradicts: null,
    demoted: false,
    readmission: null,
    promised: info.acceptedEpoch,
    insists: false,
  })
}

const leaderOf = (role: Following): ReplicaId => role.head ?? role.leader

type FromBelow = AckEpoch | AckNewLeader | Ack | Pong | Request | SyncRequest | Readmitted | Diverged

/** 2. What a learner below says, in its present attempt. */
export function relayOn(peer: Peer, role: Following, learner: Learner, message: FromBelow, orders: Order[]): void {
  switch (message.kind) {
    case 'ackEpoch':
      if (learner.stage !== 'promising') return mark(orders, 'ackepoch-out-of-turn')
      learner.stage = 'promised'
      learner.lastZxid = message.lastZxid
      learner.epochEnds = message.epochEnds
      return
    case 'ackNewLeader':
      if (learner.stage !== 'syncing' || message.epoch !== role.epoch) return mark(orders, 'acknewleader-out-of-turn')
      learner.stage = 'active'
      learner.activeAt = peer.now
      learner.token = role.relay.token
      return send(learner, { kind: 'upToDate', nonce: learner.nonce, committed: learner.told }, orders)
    case 'pong':
      if (message.token > role.relay.token) return mark(orders, 'pong-of-the-future')
      learner.token = Math.max(learner.token, message.token)
      if (message.touched.length > 0) sendUp(role, pongOf(peer, role, message.touched), orders)
      return
    case 'request':
      if (learner.stage !== 'active') return mark(orders, 'request-without-leader')
      mark(orders, 'relay-request')
      for (const request of message.requests) role.requests.push(request)
      return
    case 'syncRequest': {
      if (learner.stage !== 'active') return mark(orders, 'sync-without-leader')
      const tag = role.relay.nextTag++
      role.relay.syncs.set(tag, { to: learner.id, nonce: learner.nonce, tag: message.tag })
      mark(orders, 'relay-sync-read')
      forwardRequests(role, orders)
      return sendUp(role, { kind: 'syncRequest', nonce: role.nonce, tag }, orders)
    }
    case 'diverged':
      return contradicted(peer, learner, message, orders)
    case 'ack':
      return mark(orders, 'ack-out-of-turn')
    case 'readmitted':
      return mark(orders, 'readmitted-out-of-turn')
  }
}

const send = ({ id: to, link }: Learner, message: Message, orders: Order[]): void => {
  orders.push({ kind: 'send', to, link, message })
}

const sendUp = (role: Following, message: Message, orders: Order[]): void => {
  orders.push({ kind: 'send', to: role.leader, link: role.link, message })
}

/** 3. The leader's answer to a question that was passed on. Whoever asked in another attempt is not answered. */
export function relaySyncReply(role: Following, reply: SyncReply, orders: Order[]): void {
  const asked = role.relay.syncs.get(reply.tag)
  role.relay.syncs.delete(reply.tag)
  const learner = asked === undefined ? undefined : role.relay.learners.get(asked.to)
  if (asked === undefined || learner === undefined || learner.nonce !== asked.nonce)
    return mark(orders, 'relay-answer-for-nobody')
  send(learner, { ...reply, nonce: asked.nonce, tag: asked.tag }, orders)
}

/** 4. Before the follower delivers up to `upTo` (and may forget it): those below are told the same. */
export function relayInform(peer: Peer, role: Following, upTo: Zxid, orders: Order[]): void {
  for (const learner of role.relay.learners.values()) {
    if (learner.stage !== 'active' || learner.told >= upTo) continue
    if (learner.told < peer.history.base) {
      drop(peer, role, learner, 'fell behind', orders)
      continue
    }
    for (const entries of batches(entriesBetween(peer.history, learner.told, upTo)))
      send(learner, { kind: 'inform', nonce: learner.nonce, entries }, orders)
    learner.told = upTo
  }
}

/** 5. After it has delivered: whoever waits is admitted or synchronized, and whoever became a voter goes to the leader. */
export function relayTurnEnded(peer: Peer, role: Following, orders: Order[]): void {
  const { relay } = role
  if (relay.learners.size === 0) return
  const config = configZxid(peer.history)
  if (config !== relay.config) {
    relay.config = config
    for (const learner of relay.learners.values())
      if (isVoter(configOf(peer.history), learner.id)) sendToLeader(peer, role, learner, 'relay-learner-votes', orders)
  }
  relayInform(peer, role, peer.delivered, orders)
  for (const learner of relay.learners.values()) {
    if (learner.stage === 'info') admit(peer, role, learner, orders)
    else if (learner.stage === 'promised') synchronize(peer, role, learner, orders)
  }
}

function admit(peer: Peer, role: Following, learner: Learner, orders: Order[]): void {
  if (learner.promised > role.epoch) {
    // Only a leader can begin the higher epoch that lets it in.
    return sendToLeader(peer, role, learner, 'relay-learner-promised-later', orders)
  }
  learner.stage = 'promising'
  send(learner, { kind: 'leaderInfo', nonce: learner.nonce, epoch: role.epoch, leader: leaderOf(role) }, orders)
}

/**
 * Nothing that is committed is ever cut off: what the learner has of this epoch came from this leader, so the follower waits until it has
 * delivered as much; what it has of earlier epochs and this log has not was never committed.
 */
function synchronize(peer: Peer, role: Following, learner: Learner, orders: Order[]): void {
  const { history, delivered } = peer
  const ofThisEpoch = epochOf(learner.lastZxid) === role.epoch
  if (ofThisEpoch && learner.lastZxid > delivered) return
  const plan = planSync(history, learner, delivered, delivered)
  if (plan.mode === 'trunc' && ofThisEpoch) return drop(peer, role, learner, 'a history that cannot be', orders)
  mark(orders, `relay-sync-${plan.mode}`)
  const { nonce } = learner
  const config = plan.mode === 'snap' ? configEntryAt(history, plan.from) : null
  send(learner, { kind: 'sync', nonce, mode: plan.mode, from: plan.from, voting: false, config }, orders)
  if (plan.mode === 'snap')
    orders.push({ kind: 'sendSnapshot', to: learner.id, link: learner.link, nonce, zxid: plan.from })
  for (const entries of batches(entriesBetween(history, plan.from, delivered)))
    send(learner, { kind: 'proposal', nonce, entries }, orders)
  send(learner, { kind: 'newLeader', nonce, epoch: role.epoch, last: delivered }, orders)
  learner.stage = 'syncing'
  learner.told = delivered
  learner.epochEnds = []
}

/** 6. Time: pings of its own; whoever does not keep up is let go. One at a time is asked to go up, if the leader wants observers near, and at once whom it named. */
export function relayOnTick(peer: Peer, role: Following, orders: Order[]): void {
  const { relay } = role
  const { heartbeat, steady } = peer.options.timing
  quarantineBelow(peer, relay.learners, orders)
  if (relay.learners.size === 0 || peer.now - relay.pingedAt < heartbeat) return
  relay.pingedAt = peer.now
  relay.token++
  const asks = relay.wanted && peer.now - relay.askedAt >= steady
  relay.wanted = false
  if (asks) relay.askedAt = peer.now
  let at = asks ? relay.token % relay.learners.size : -1
  for (const learner of relay.learners.values()) {
    const wanted = at-- === 0 || relay.named.includes(learner.id)
    if (learner.stage !== 'active') continue
    if (relay.token - learner.token > UNANSWERED_MAX) drop(peer, role, learner, 'too slow', orders)
    else {
      const { nonce, told } = learner
      send(learner, { kind: 'ping', nonce, token: relay.token, committed: told, wanted }, orders)
    }
  }
}

function sendToLeader(peer: Peer, role: Following, learner: Learner, why: string, orders: Order[]): void {
  role.relay.learners.delete(learner.id)
  mark(orders, why)
  redirect(peer, learner, leaderOf(role), [], orders)
}

function drop(peer: Peer, role: Following, { id, link, nonce }: Learner, reason: string, orders: Order[]): void {
  role.relay.learners.delete(id)
  mark(orders, 'relay-learner-dropped', reason)
  refuse(peer, id, link, nonce, reason, orders)
}

/** 7. It follows no more: nobody below may go on as if it did. */
export function relayEnds(peer: Peer, role: Following, reason: string, orders: Order[]): void {
  for (const { id, link, nonce } of role.relay.learners.values()) {
    mark(orders, 'relay-lost')
    refuse(peer, id, link, nonce, reason, orders)
  }
}
