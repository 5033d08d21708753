/** step(peer, fact) → orders: the one switch, and every reason to ignore a message. */
import { unreachable } from '../base/assert.ts'
import type { LinkId, ReplicaId } from '../base/ids.ts'
import { onReconfigRequested } from './autopilot.ts'
import {
  followerOnCommit,
  followerOnProposal,
  leaderOnAck,
  observerOnInform,
  onAppendStored,
  onPrepared,
  onRequested,
  onTurnEnded,
} from './broadcast.ts'
import { leaderOnDiverged, learnerOnDigest, learnerOnQuarantine, onDigested } from './digests.ts'
import {
  leaderOnAckEpoch,
  leaderOnEpochPromised,
  leaderOnEpochTaken,
  leaderOnFollowerInfo,
  learnerOnLeaderInfo,
  sendAckEpoch,
} from './discovery.ts'
import { onEarlyFollower, onNotification, trySettle } from './election.ts'
import type { Fact, Order } from './facts.ts'
import { learnerOnHandOver, onStepDownRequested } from './handover.ts'
import { configOf } from './history.ts'
import { onLinkClosed, onLinkOpened, onPeerGone, onTicked, onWoke } from './liveness.ts'
import type { Message, Pong } from './messages.ts'
import { learnerOnRedirect, learnerOnWanted } from './parent.ts'
import { type Following, isSound, type Leading, type Learner, mark, type Peer, type Then } from './peer.ts'
import { leaderOnReadmitted, learnerOnReadmit, learnerReadmissionStored, onRegressed } from './readmission.ts'
import { relayOn, relayOnFollowerInfo } from './relay.ts'
import { refuse, stepDown } from './roles.ts'
import { onVisibilityChanged, pongOf, sawLearner } from './sight.ts'
import { leaderOnSync, learnerOnSyncReply, onSyncRequested } from './sync-read.ts'
import {
  leaderOnAckNewLeader,
  learnerOnNewLeader,
  learnerOnSnapshotChunk,
  learnerOnSync,
  learnerOnUpToDate,
  learnerStage,
  learnerSyncStored,
} from './synchronization.ts'
import { halt, stored, write } from './writes.ts'

export function step(peer: Peer, fact: Fact): Order[] {
  const orders: Order[] = []
  if (peer.halted) return orders
  const before = peer.role
  switch (fact.kind) {
    case 'ticked':
      onTicked(peer, fact.now, orders)
      break
    case 'woke':
      onWoke(peer, fact.now, fact.gap, orders)
      break
    case 'linkOpened':
      onLinkOpened(peer, fact.peer, fact.link, fact.about, orders)
      break
    case 'linkClosed':
      onLinkClosed(peer, fact.peer, fact.link, fact.reason, orders)
      break
    case 'peerGone':
      onPeerGone(peer, fact.peer, fact.reason, orders)
      break
    case 'received':
      onReceived(peer, fact.from, fact.link, fact.message, orders)
      break
    case 'stored':
      for (const then of stored(peer, fact.write, orders)) carryOn(peer, then, orders)
      onAppendStored(peer, orders)
      trySettle(peer, orders)
      break
    case 'storeFailed':
      stepDown(peer, `storage failed: ${fact.reason}`, orders)
      halt(peer, 'StorageFailed', fact.reason, orders)
      break
    case 'requested':
      onRequested(peer, fact.requests, orders)
      break
    case 'prepared':
      onPrepared(peer, fact.zxid, fact.bytes, orders)
      break
    case 'syncRequested':
      onSyncRequested(peer, fact.tag, orders)
      break
    case 'touched':
      onTouched(peer, fact.sessions, orders)
      break
    case 'reconfigRequested':
      onReconfigRequested(peer, fact.tag, fact.voters, orders)
      break
    case 'visibilityChanged':
      onVisibilityChanged(peer, fact.hidden)
      break
    case 'stepDownRequested':
      onStepDownRequested(peer, fact.reason, orders)
      break
    case 'digested':
      onDigested(peer, fact.zxid, fact.digest, orders)
      break
    case 'compacted':
      break
    case 'turnEnded':
      onTurnEnded(peer, orders)
      break
    default:
      unreachable(fact)
  }
  tellRole(peer, before, orders)
  return orders
}

/** The host hears of roles only when they change. A leader that ends is told first, so that nothing is prepared meanwhile. */
function tellRole(peer: Peer, before: Peer['role'], orders: Order[]): void {
  const role = peer.role
  if (before.kind === 'leading' && before !== role && before.phase === 'broadcast') orders.push({ kind: 'notLeading' })
  // Who has halted plays no role any more.
  if (peer.halted) return
  const serving =
    (role.kind === 'leading' || role.kind === 'following') && role.phase === 'broadcast' && isSound(peer, role)
  const name =
    role.kind === 'following' && configOf(peer.history)?.voters.includes(peer.options.id) !== true
      ? 'observing'
      : role.kind
  const leader =
    role.kind === 'leading'
      ? serving
        ? peer.options.id
        : null
      : role.kind === 'following' && serving
        ? (role.head ?? role.leader)
        : null
  const { told, currentEpoch: epoch, generation } = peer
  if (
    told !== null &&
    told.role === name &&
    told.leader === leader &&
    told.epoch === epoch &&
    told.serving === serving &&
    told.generation === generation
  )
    return
  peer.told = { role: name, leader, epoch, serving, generation }
  orders.push({ kind: 'role', role: name, leader, epoch, serving })
}

/** A write is durable; what belongs to a finished role has no effect. */
function carryOn(peer: Peer, then: Then, orders: Order[]): void {
  if (then.kind === 'nothing') return
  if (then.generation !== peer.generation) return mark(orders, 'stale-write-done')
  const role = peer.role
  if (then.kind === 'epochPromised' && role.kind === 'leading') leaderOnEpochPromised(peer, role, orders)
  else if (then.kind === 'epochTaken' && role.kind === 'leading') leaderOnEpochTaken(peer, role, orders)
  else if (then.kind === 'ackEpoch' && role.kind === 'following') sendAckEpoch(peer, role, then.counts, orders)
  else if (then.kind === 'ackNewLeader' && role.kind === 'following')
    learnerSyncStored(peer, role, then.epoch, then.zxid, orders)
  else if (then.kind === 'readmitted' && role.kind === 'following') learnerReadmissionStored(role, orders)
}

function onReceived(peer: Peer, from: ReplicaId, link: LinkId, message: Message, orders: Order[]): void {
  const state = peer.links.get(from)
  if (state === undefined || state.link !== link) return mark(orders, 'stale-linkId-dropped', message.kind)
  state.heardAt = peer.now
  const role = peer.role
  switch (message.kind) {
    case 'notification':
      return onNotification(peer, from, link, message, orders)
    case 'followerInfo':
      if (role.kind === 'leading') return leaderOnFollowerInfo(peer, role, from, link, message, orders)
      if (role.kind === 'looking' && !peer.demoted && !message.demoted) {
        const { nonce, acceptedEpoch, snapshotWanted, demoted, insists } = message
        state.early = { nonce, acceptedEpoch, snapshotWanted, demoted, insists }
        return onEarlyFollower(peer, role, from, orders)
      }
      if (role.kind === 'following') return relayOnFollowerInfo(peer, role, from, link, message, orders)
      return refuse(peer, from, link, message.nonce, 'I follow somebody else', orders)
    case 'regressed':
      return onRegressed(peer, from, message, orders)
    case 'ackEpoch':
    case 'ackNewLeader':
    case 'ack':
    case 'pong':
    case 'request':
    case 'readmitted':
    case 'diverged':
    case 'syncRequest': {
      const learner =
        role.kind === 'looking' ? undefined : (role.kind === 'leading' ? role : role.relay).learners.get(from)
      if (
        role.kind === 'looking' ||
        learner === undefined ||
        learner.link !== link ||
        learner.nonce !== message.nonce
      ) {
        return mark(orders, 'stale-session-nonce-dropped', message.kind)
      }
      learner.heardAt = peer.now
      if (role.kind === 'following') return relayOn(peer, role, learner, message, orders)
      return leaderOn(peer, role, learner, message, orders)
    }
    default:
      if (role.kind !== 'following' || role.leader !== from || role.link !== link || role.nonce !== message.nonce) {
        return mark(orders, 'stale-session-nonce-dropped', message.kind)
      }
      role.heardAt = peer.now
      return learnerOn(peer, role, message, orders)
  }
}

type FromLearner = Extract<
  Message,
  { kind: 'ackEpoch' | 'ackNewLeader' | 'ack' | 'pong' | 'request' | 'syncRequest' | 'readmitted' | 'diverged' }
>

function leaderOn(peer: Peer, role: Leading, learner: Learner, message: FromLearner, orders: Order[]): void {
  switch (message.kind) {
    case 'ackEpoch':
      return leaderOnAckEpoch(peer, role, learner, message, orders)
    case 'ackNewLeader':
      return leaderOnAckNewLeader(peer, role, learner, message, orders)
    case 'ack':
      return leaderOnAck(peer, role, learner, message.zxid, orders)
    case 'pong':
      return leaderOnPong(peer, role, learner, message, orders)
    case 'request':
      return onRequested(peer, message.requests, orders)
    case 'syncRequest':
      if (role.phase !== 'broadcast') return mark(orders, 'sync-without-leader')
      return leaderOnSync(peer, role, message.tag, learner.id, learner.link)
    case 'diverged':
      return leaderOnDiverged(peer, role, learner, message, orders)
    case 'readmitted':
      return leaderOnReadmitted(peer, role, learner, orders)
    default:
      return unreachable(message)
  }
}

function leaderOnPong(peer: Peer, role: Leading, learner: Learner, pong: Pong, orders: Order[]): void {
  if (pong.token > role.token) return mark(orders, 'pong-of-the-future')
  learner.token = Math.max(learner.token, pong.token)
  sawLearner(peer, learner, pong)
  if (pong.touched.length > 0) orders.push({ kind: 'touch', sessions: pong.touched })
}

type FromLeader = Exclude<Message, FromLearner | { kind: 'notification' | 'followerInfo' | 'regressed' }>

function learnerOn(peer: Peer, role: Following, message: FromLeader, orders: Order[]): void {
  switch (message.kind) {
    case 'leaderInfo':
      return learnerOnLeaderInfo(peer, role, message, orders)
    case 'sync':
      return learnerOnSync(peer, role, message, orders)
    case 'snapshotChunk':
      return learnerOnSnapshotChunk(peer, role, message, orders)
    case 'proposal':
      if (role.phase === 'synchronization') return learnerStage(peer, role, message.entries, orders)
      if (role.phase === 'discovery') return stepDown(peer, 'Proposal out of turn', orders)
      return followerOnProposal(peer, role, message.entries, orders)
    case 'newLeader':
      return learnerOnNewLeader(peer, role, message, orders)
    case 'upToDate':
      return learnerOnUpToDate(peer, role, message, orders)
    case 'commit':
      return followerOnCommit(peer, role, message.zxid, orders)
    case 'inform':
      return observerOnInform(peer, role, message.entries, orders)
    case 'candidate':
      if (role.phase !== 'broadcast' || role.mode !== 'observer') return stepDown(peer, 'Candidate out of turn', orders)
      role.mode = 'follower'
      // A strict barrier: what was written relaxed so far is on the disk before the first ack.
      return write(peer, [{ kind: 'currentEpoch', epoch: peer.currentEpoch }], { kind: 'nothing' }, orders)
    case 'ping':
      role.token = message.token
      orders.push({ kind: 'send', to: role.leader, link: role.link, message: pongOf(peer, role, NOTHING) })
      return learnerOnWanted(peer, role, message, orders)
    case 'syncReply':
      if (role.phase !== 'broadcast') return stepDown(peer, 'SyncReply out of turn', orders)
      return learnerOnSyncReply(role, message, orders)
    case 'handOver':
      return learnerOnHandOver(peer, message, orders)
    case 'quarantine':
      return learnerOnQuarantine(peer, role, orders)
    case 'digest':
      return learnerOnDigest(peer, role, message, orders)
    case 'readmit':
      return learnerOnReadmit(peer, role, orders)
    case 'redirect':
      return learnerOnRedirect(peer, role, message, orders)
    case 'refuse':
      return stepDown(peer, `the leader says: ${message.reason}`, orders)
    default:
      return unreachable(message)
  }
}

const NOTHING = new Uint8Array(0)

/** Which of this replica's sessions were heard of: a leader takes it at once, a learner passes it on. */
function onTouched(peer: Peer, sessions: Uint8Array, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading') orders.push({ kind: 'touch', sessions })
  else if (role.kind === 'following' && role.phase === 'broadcast') {
    orders.push({ kind: 'send', to: role.leader, link: role.link, message: pongOf(peer, role, sessions) })
  }
}
