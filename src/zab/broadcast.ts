/**
 * Phase 3: one write, both roles in turn. Request → zxid → Proposal to the followers and, at the same time, the leader's own disk → Ack
 * when durable → Commit when a quorum has acknowledged → deliver. What gathers during one turn leaves as one message and one
 * log record. ZooKeeper: ProposalRequestProcessor, SyncRequestProcessor, Leader.processAck, CommitProcessor.
 */
import { assert } from '../base/assert.ts'
import type { ReplicaId } from '../base/ids.ts'
import { COUNTER_MAX, counterOf, makeZxid, type Zxid } from '../base/zxid.ts'
import { changeCommitted } from './autopilot.ts'
import { currentNotification } from './election.ts'
import { type Entry, entryBytes } from './entry.ts'
import type { Order } from './facts.ts'
import { forwardRequests } from './forward.ts'
import { configOf, entriesBetween, forget, lastZxid } from './history.ts'
import { whyNotAppend } from './incoming.ts'
import { remember } from './memory.ts'
import { counted, type Following, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { quorumZxid } from './quorum.ts'
import { readmitAll } from './readmission.ts'
import { relayInform, relayTurnEnded } from './relay.ts'
import { refuse, stepDown } from './roles.ts'
import { answerSyncs } from './sync-read.ts'
import { batches } from './synchronization.ts'
import { restoring, write } from './writes.ts'

/** 0. The leader is established: what stands in its history is committed, and it takes requests. */
export function leaderOnBroadcast(peer: Peer, role: Leading, orders: Order[]): void {
  mark(orders, 'broadcast-began')
  const message = currentNotification(peer)
  for (const [to, { link }] of peer.links) {
    if (!role.learners.has(to)) orders.push({ kind: 'send', to, link, message })
  }
  deliver(peer, orders)
  orders.push({ kind: 'leading' })
  changeCommitted(peer, role, orders)
}

/** 1. Requests, in order: of this replica's clients, or forwarded. A leader gives them zxids; a follower passes them on. */
export function onRequested(peer: Peer, requests: readonly Uint8Array[], orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading' && role.phase === 'broadcast') {
    for (const request of requests) role.queue.push(request)
    prepareNext(peer, role, orders)
  } else if (role.kind === 'following' && role.phase === 'broadcast') {
    for (const request of requests) role.requests.push(request)
  } else mark(orders, 'request-without-leader')
}

/** 2. Leader: the next zxids, as many as may be in flight. Every request gets exactly one txn, so zxids are dense. None on a tree that may be wrong. */
export function prepareNext(peer: Peer, role: Leading, orders: Order[]): void {
  while (role.awaiting === null && role.handingOver === null && !peer.diverged && role.queueStart < role.queue.length) {
    if (role.counter - committedCounter(peer, role) >= peer.options.proposalsInFlightMax) return
    const request = role.queue[role.queueStart] as Uint8Array
    role.queueStart++
    if (role.queueStart === role.queue.length) {
      role.queue.length = 0
      role.queueStart = 0
    }
    const zxid = nextInEpoch(peer, role, orders)
    if (zxid === null) return
    role.awaiting = zxid
    orders.push({ kind: 'prepare', zxid, request })
  }
}

const committedCounter = (peer: Peer, role: Leading): number =>
  peer.committed >= makeZxid(role.epoch, 0) ? counterOf(peer.committed) : 0

function nextInEpoch(peer: Peer, role: Leading, orders: Order[]): Zxid | null {
  if (role.counter >= COUNTER_MAX) {
    mark(orders, 'counter-full')
    stepDown(peer, 'the epoch is full', orders)
    return null
  }
  role.counter++
  return makeZxid(role.epoch, role.counter)
}

export function onPrepared(peer: Peer, zxid: Zxid, bytes: Uint8Array, orders: Order[]): void {
  const role = peer.role
  if (role.kind !== 'leading' || role.awaiting !== zxid) return
  role.awaiting = null
  take(peer, role, { zxid, kind: 'txn', bytes }, orders)
  prepareNext(peer, role, orders)
}

/** A configuration or format record of the leader's own. */
export function proposeRecord(
  peer: Peer,
  role: Leading,
  kind: 'config' | 'format',
  bytes: Uint8Array,
  orders: Order[],
): void {
  assert(role.awaiting === null, 'a record between a zxid and its txn')
  const zxid = nextInEpoch(peer, role, orders)
  if (zxid === null) return
  take(peer, role, { zxid, kind, bytes }, orders)
  // At once: from here on the new configuration counts.
  propose(peer, role, orders)
}

function take(peer: Peer, role: Leading, entry: Entry, orders: Order[]): void {
  role.batch.push(entry)
  role.batchBytes += entryBytes(entry)
  if (role.batchBytes >= peer.options.batchBytesMax) propose(peer, role, orders)
}

/** 3. Leader: the batch leaves for the followers' disks and its own at the same time. */
function propose(peer: Peer, role: Leading, orders: Order[]): void {
  const entries = role.batch
  if (entries.length === 0) return
  role.batch = []
  role.batchBytes = 0
  for (const learner of role.learners.values()) {
    if (learner.mode !== 'follower' || (learner.stage !== 'syncing' && learner.stage !== 'active')) continue
    orders.push({
      kind: 'send',
      to: learner.id,
      link: learner.link,
      message: { kind: 'proposal', nonce: learner.nonce, entries },
    })
  }
  write(peer, [{ kind: 'append', entries }], { kind: 'nothing' }, orders)
}

/** 4. Follower: write it down. No ack yet: an ack is a promise about the disk. */
export function followerOnProposal(peer: Peer, role: Following, entries: readonly Entry[], orders: Order[]): void {
  if (role.mode !== 'follower') return stepDown(peer, 'Proposal to an observer', orders)
  const wrong = whyNotAppend(lastZxid(peer.history), entries, role.epoch)
  if (wrong !== null) return stepDown(peer, `Proposal: ${wrong}`, orders)
  write(peer, [{ kind: 'append', entries }], { kind: 'nothing' }, orders)
}

/** 5. Both: the disk has it. The follower says so, cumulatively, once a turn; the leader counts itself. */
export function onAppendStored(peer: Peer, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading') {
    if (role.phase === 'broadcast') tryCommit(peer, role, orders)
  } else if (
    role.kind === 'following' &&
    role.mode === 'follower' &&
    (role.phase === 'broadcast' || role.phase === 'durable')
  ) {
    orders.push({
      kind: 'send',
      to: role.leader,
      link: role.link,
      message: { kind: 'ack', nonce: role.nonce, zxid: peer.durable.zxid },
    })
  }
}

/** 6. Leader: an ack. Monotone, never beyond what was proposed. */
export function leaderOnAck(peer: Peer, role: Leading, learner: Learner, zxid: Zxid, orders: Order[]): void {
  if (learner.stage !== 'active' && learner.stage !== 'syncing') return mark(orders, 'ack-out-of-turn')
  if (zxid > lastZxid(peer.history)) return mark(orders, 'ack-of-the-future')
  // Before ACK(NEWLEADER) nothing counts: it comes first on the same link (ZOOKEEPER-4685).
  if (learner.stage === 'syncing') return mark(orders, 'ack-before-newleader')
  if (zxid <= learner.acked) return
  learner.acked = zxid
  if (!learner.demoted) remember(peer, learner.id, { acceptedEpoch: role.epoch, currentEpoch: role.epoch, zxid })
  tryCommit(peer, role, orders)
}

/** 7. Leader: committed is what a quorum of every active configuration has on disk. In order by construction. */
export function tryCommit(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (config === null || role.phase !== 'broadcast') return
  const acked = (id: ReplicaId): Zxid =>
    id === peer.options.id ? peer.durable.zxid : (counted(role, id)?.acked ?? (0 as Zxid))
  const zxid = quorumZxid(config, acked)
  if (zxid <= peer.committed) return
  peer.committed = zxid
  changeCommitted(peer, role, orders)
  prepareNext(peer, role, orders)
}

/** 8. Follower: commit. */
export function followerOnCommit(peer: Peer, role: Following, zxid: Zxid, orders: Order[]): void {
  if (role.phase !== 'broadcast') return stepDown(peer, 'Commit out of turn', orders)
  if (zxid > lastZxid(peer.history)) return stepDown(peer, 'Commit of something unknown', orders)
  peer.committed = Math.max(peer.committed, zxid) as Zxid
}

/** 8b. Observer: committed entries, whole. */
export function observerOnInform(peer: Peer, role: Following, entries: readonly Entry[], orders: Order[]): void {
  if (role.phase !== 'broadcast' || role.mode !== 'observer') return stepDown(peer, 'Inform out of turn', orders)
  const wrong = whyNotAppend(lastZxid(peer.history), entries, role.epoch)
  if (wrong !== null) return stepDown(peer, `Inform: ${wrong}`, orders)
  write(peer, [{ kind: 'append', entries }], { kind: 'nothing' }, orders)
  peer.committed = (entries[entries.length - 1] as Entry).zxid
}

/** 9. All: apply what is committed and on the own disk, in order; memory never shows what a crash could take back (ZOOKEEPER-4882). */
export function deliver(peer: Peer, orders: Order[]): void {
  const upTo = Math.min(peer.committed, peer.durable.zxid) as Zxid
  if (upTo <= peer.delivered || restoring(peer)) return
  if (peer.role.kind === 'following') relayInform(peer, peer.role, upTo, orders)
  orders.push({ kind: 'deliver', entries: entriesBetween(peer.history, peer.delivered, upTo) })
  peer.delivered = upTo
  forget(peer.history, upTo, peer.options.historyEntriesMax)
}

/** 10. The turn ends: what gathered leaves, once for each learner. */
export function onTurnEnded(peer: Peer, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'leading' && role.phase === 'broadcast') {
    propose(peer, role, orders)
    readmitAll(peer, role, orders)
    for (const learner of role.learners.values()) tellCommitted(peer, role, learner, orders)
  } else if (role.kind === 'following') forwardRequests(role, orders)
  if (role.kind === 'leading' ? role.phase === 'broadcast' : role.kind === 'following' && role.phase === 'broadcast')
    deliver(peer, orders)
  if (role.kind === 'following' && role.phase === 'broadcast') relayTurnEnded(peer, role, orders)
  answerSyncs(peer, orders)
}

function tellCommitted(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  if (learner.stage !== 'active' || learner.told >= peer.committed) return
  const { id: to, link, nonce } = learner
  if (learner.mode === 'follower') {
    orders.push({ kind: 'send', to, link, message: { kind: 'commit', nonce, zxid: peer.committed } })
  } else {
    if (learner.told < peer.history.base) {
      role.learners.delete(to)
      mark(orders, 'observer-fell-behind')
      return refuse(peer, to, link, nonce, 'fell behind', orders)
    }
    for (const entries of batches(entriesBetween(peer.history, learner.told, peer.committed))) {
      orders.push({ kind: 'send', to, link, message: { kind: 'inform', nonce, entries } })
    }
  }
  learner.told = peer.committed
}
