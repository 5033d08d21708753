/**
 * Phase 2: every learner gets the leader's history, whole, before it counts. DIFF where memory reaches back to the last common zxid, TRUNC
 * first where the learner has more, SNAP otherwise. The learner stages everything and makes it durable together with the current epoch
 * in one write; only then it acknowledges NEWLEADER (ZOOKEEPER-3911, 4643, 4646). ZooKeeper: LearnerHandler, Learner.syncWithLeader.
 */
import { assert } from '../base/assert.ts'
import { LIMITS } from '../base/limits.ts'
import { epochOf, type Zxid } from '../base/zxid.ts'
import { leaderOnBroadcast, tryCommit } from './broadcast.ts'
import { tellDigest } from './digests.ts'
import { type Entry, entryBytes } from './entry.ts'
import type { Change, Order } from './facts.ts'
import { commonZxid, configEntryAt, configOf, entriesBetween, type History, holdsZxid, lastZxid } from './history.ts'
import { readable, whyNotAppend } from './incoming.ts'
import { isVoter } from './membership.ts'
import { remember } from './memory.ts'
import type { AckNewLeader, NewLeader, Proposal, SnapshotChunk, Sync, UpToDate } from './messages.ts'
import { redirected } from './parent.ts'
import { type Following, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { stepDown } from './roles.ts'
import { write } from './writes.ts'

export interface SyncPlan {
  readonly mode: 'diff' | 'trunc' | 'snap'
  /** The zxid from which on proposals follow. */
  readonly from: Zxid
}

/** What a learner with this history needs; `limit` is where what it may know ends, `snapshotAt` where a snapshot would stand. */
export function planSync(
  history: History,
  learner: Pick<Learner, 'lastZxid' | 'epochEnds' | 'snapshotWanted'>,
  limit: Zxid,
  snapshotAt: Zxid,
): SyncPlan {
  const common = learner.snapshotWanted ? null : commonZxid(history, learner.epochEnds)
  if (common === null) return { mode: 'snap', from: snapshotAt }
  const from = Math.min(common, limit) as Zxid
  return { mode: from < learner.lastZxid ? 'trunc' : 'diff', from }
}

export function leaderSyncAll(peer: Peer, role: Leading, orders: Order[]): void {
  for (const learner of role.learners.values())
    if (learner.stage === 'promised') leaderSyncLearner(peer, role, learner, orders)
  leaderTryBroadcast(peer, role, orders)
}

/**
 * 1. Leader: plan, content, registration and NEWLEADER in one act, so that no proposal falls between (ZOOKEEPER-962, 3104). Observers wait
 * until there is something committed to give, and get nothing that is not.
 */
export function leaderSyncLearner(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  const observer = learner.mode === 'observer'
  if ((observer || learner.demoted) && role.phase !== 'broadcast') return
  if (redirected(peer, role, learner, orders)) return
  const { history } = peer
  const last = observer ? peer.committed : lastZxid(history)
  const plan = planSync(history, learner, last, peer.delivered)
  // A tree that a quorum contradicted is not handed on as long as there may be a better one.
  if (plan.mode === 'snap' && peer.diverged && role.phase === 'broadcast') return mark(orders, 'diverged-gives-no-snap')
  const send = (message: Sync | Proposal | NewLeader): void => {
    orders.push({ kind: 'send', to: learner.id, link: learner.link, message })
  }
  mark(orders, `sync-${plan.mode}`)
  const config = plan.mode === 'snap' ? configEntryAt(history, plan.from) : null
  send({ kind: 'sync', nonce: learner.nonce, mode: plan.mode, from: plan.from, voting: !observer, config })
  if (plan.mode === 'snap') {
    orders.push({ kind: 'sendSnapshot', to: learner.id, link: learner.link, nonce: learner.nonce, zxid: plan.from })
  }
  for (const entries of batches(entriesBetween(history, plan.from, last)))
    send({ kind: 'proposal', nonce: learner.nonce, entries })
  send({ kind: 'newLeader', nonce: learner.nonce, epoch: role.epoch, last })
  learner.stage = 'syncing'
  learner.told = last
  learner.epochEnds = []
}

/** Cut where a message would grow too large. */
export function* batches(entries: readonly Entry[]): Generator<Entry[]> {
  let batch: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    if (batch.length > 0 && bytes + entryBytes(entry) > LIMITS.batchBytesMax) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(entry)
    bytes += entryBytes(entry)
  }
  if (batch.length > 0) yield batch
}

/** 2. Learner: how its history becomes the leader's. Nothing is changed yet. */
export function learnerOnSync(peer: Peer, role: Following, sync: Sync, orders: Order[]): void {
  if (role.phase !== 'synchronization' || role.staged !== null) return stepDown(peer, 'Sync out of turn', orders)
  const fits =
    sync.mode === 'snap' ||
    (holdsZxid(peer.history, sync.from) && (sync.mode === 'trunc') === sync.from < lastZxid(peer.history))
  if (!fits) {
    mark(orders, 'sync-does-not-fit')
    peer.snapshotWanted = true
    return stepDown(peer, 'this log does not reach back to the common point', orders)
  }
  if (sync.from < peer.committed) {
    // What is committed stays. The leader's next answer may reach further; a log that does not fit asks again by itself.
    mark(orders, 'sync-behind-committed')
    peer.snapshotWanted = false
    return stepDown(peer, 'this would take back what is committed', orders)
  }
  if (epochOf(sync.from) > role.epoch || (sync.config !== null && !inForce(sync.config, sync.from)))
    return stepDown(peer, 'Sync: a snapshot that cannot be', orders)
  role.progressAt = peer.now
  // The leader's configuration says it; this peer's own log may be behind, or about to be cut.
  role.mode = sync.voting ? 'follower' : 'observer'
  role.staged = {
    mode: sync.mode,
    from: sync.from,
    config: sync.config,
    chunks: [],
    complete: sync.mode !== 'snap',
    entries: [],
  }
}

const inForce = (config: Entry, at: Zxid): boolean => config.kind === 'config' && config.zxid <= at && readable(config)

export function learnerOnSnapshotChunk(peer: Peer, role: Following, chunk: SnapshotChunk, orders: Order[]): void {
  const staged = role.staged
  if (staged === null || staged.mode !== 'snap' || staged.complete)
    return stepDown(peer, 'SnapshotChunk out of turn', orders)
  role.progressAt = peer.now
  staged.chunks.push(chunk.bytes)
  staged.complete = chunk.last
}

/** 3. Learner: content of the synchronization gathers, contiguous (ZOOKEEPER-4925). */
export function learnerStage(peer: Peer, role: Following, entries: readonly Entry[], orders: Order[]): void {
  const staged = role.staged
  if (staged === null || !staged.complete) return stepDown(peer, 'Proposal before Sync', orders)
  role.progressAt = peer.now
  const last = staged.entries[staged.entries.length - 1]?.zxid ?? staged.from
  const wrong = whyNotAppend(last, entries, role.epoch)
  if (wrong !== null) return stepDown(peer, `Proposal of the synchronization: ${wrong}`, orders)
  for (const entry of entries) staged.entries.push(entry)
}

/** 4. Learner: all content is here. History and current epoch become durable in one write, or nothing of it does. */
export function learnerOnNewLeader(peer: Peer, role: Following, message: NewLeader, orders: Order[]): void {
  const staged = role.staged
  if (role.phase !== 'synchronization' || staged === null || !staged.complete)
    return stepDown(peer, 'NewLeader out of turn', orders)
  if (message.epoch !== role.epoch) return stepDown(peer, 'NewLeader of another epoch', orders)
  const last = staged.entries[staged.entries.length - 1]?.zxid ?? staged.from
  if (last !== message.last) return stepDown(peer, 'NewLeader does not stand at the end of the content', orders)
  const changes: Change[] = []
  if (staged.mode === 'snap')
    changes.push({ kind: 'install', zxid: staged.from, config: staged.config, chunks: staged.chunks })
  else if (staged.mode === 'trunc') {
    mark(orders, 'trunc-applied')
    changes.push({ kind: 'truncate', zxid: staged.from })
  }
  if (staged.entries.length > 0) changes.push({ kind: 'append', entries: staged.entries })
  changes.push({ kind: 'currentEpoch', epoch: role.epoch })
  role.phase = 'durable'
  role.staged = null
  role.progressAt = peer.now
  write(
    peer,
    changes,
    { kind: 'ackNewLeader', generation: peer.generation, epoch: role.epoch, zxid: message.last },
    orders,
  )
}

/** 5. Learner: it is durable. */
export function learnerSyncStored(peer: Peer, role: Following, epoch: number, zxid: Zxid, orders: Order[]): void {
  peer.snapshotWanted = false
  role.progressAt = peer.now
  orders.push({
    kind: 'send',
    to: role.leader,
    link: role.link,
    message: { kind: 'ackNewLeader', nonce: role.nonce, epoch, zxid },
  })
}

/** 6. Leader: a learner has the whole history on disk. */
export function leaderOnAckNewLeader(
  peer: Peer,
  role: Leading,
  learner: Learner,
  ack: AckNewLeader,
  orders: Order[],
): void {
  if (learner.stage !== 'syncing' || ack.epoch !== role.epoch) return mark(orders, 'acknewleader-out-of-turn')
  learner.stage = 'active'
  learner.activeAt = peer.now
  learner.acked = ack.zxid
  if (!learner.demoted && isVoter(configOf(peer.history), learner.id)) {
    role.newLeaderAcks.add(learner.id)
    remember(peer, learner.id, { acceptedEpoch: role.epoch, currentEpoch: role.epoch, zxid: ack.zxid })
  }
  if (role.phase === 'broadcast') {
    sendUpToDate(peer, role, learner, orders)
    tryCommit(peer, role, orders)
  } else leaderTryBroadcast(peer, role, orders)
}

/** 7. Leader: a quorum has its history: all of it is committed, and broadcast begins. */
function leaderTryBroadcast(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (role.phase !== 'synchronization' || config === null) return
  if (!hasQuorum(config, (id) => role.newLeaderAcks.has(id))) return
  assert(peer.durable.zxid === lastZxid(peer.history), 'a leader counts itself only with its whole history on disk')
  role.phase = 'broadcast'
  peer.committed = lastZxid(peer.history)
  for (const learner of role.learners.values()) {
    if (learner.stage === 'active') sendUpToDate(peer, role, learner, orders)
    else if (learner.stage === 'promised' && (learner.mode === 'observer' || learner.demoted))
      leaderSyncLearner(peer, role, learner, orders)
  }
  leaderOnBroadcast(peer, role, orders)
}

function sendUpToDate(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  orders.push({
    kind: 'send',
    to: learner.id,
    link: learner.link,
    message: {
      kind: 'upToDate',
      nonce: learner.nonce,
      committed: learner.mode === 'observer' ? learner.told : peer.committed,
    },
  })
  tellDigest(role, learner, orders)
  if (learner.mode === 'follower') learner.told = peer.committed
}

/** 8. Learner: the leader is established; serve clients. */
export function learnerOnUpToDate(peer: Peer, role: Following, message: UpToDate, orders: Order[]): void {
  if (role.phase !== 'durable') return stepDown(peer, 'UpToDate out of turn', orders)
  if (peer.pending.some(({ then }) => then.kind === 'ackNewLeader'))
    return stepDown(peer, 'UpToDate out of turn: NewLeader is not acknowledged yet', orders)
  if (message.committed > lastZxid(peer.history)) return stepDown(peer, 'UpToDate beyond the log', orders)
  role.phase = 'broadcast'
  role.progressAt = peer.now
  peer.search = null
  peer.committed = Math.max(peer.committed, message.committed) as Zxid
}
