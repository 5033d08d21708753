import type { Op } from '../client/api.ts'
import type { Assign } from './assignment.ts'
import type { LeaseFacts } from './lease-index.ts'
import { firedId, type QueuePaths } from './queue-paths.ts'
import { retryDelay } from './retry-policy.ts'
import { encodeSchedule, type Schedule } from './schedule.ts'
import type { TaskFacts } from './task-facts.ts'
import { encodeRecord, type TaskFailure, type TaskRecord } from './task-record.ts'
import { NO_VALUE, type Value } from './value.ts'
import { encodeWorker, type WorkerRecord } from './worker-record.ts'

/*
 * Every step of a task's life, each as one `multi`: it happens wholly or not at all. A dispatcher's step checks the version
 * of `ctl` (its fence); a worker's step deletes the lease, whose name never comes again.
 */

/** Must not exist: made and deleted in the same transaction, so that any ZooKeeper can do it. */
const absent = (path: string): readonly Op[] => [
  { op: 'create', path },
  { op: 'delete', path },
]

/** The right to dispatch: `ctl` at this version. */
export const fence = (queue: QueuePaths, term: number): Op => ({ op: 'check', path: queue.ctl, version: term })

/** The new version of `ctl` is the term. With `depose`, whoever leads is put off. */
export const elect = (queue: QueuePaths, nonce: string, depose: boolean): readonly Op[] => [
  { op: 'setData', path: queue.ctl, data: nonce },
  ...(depose ? [{ op: 'delete', path: queue.lead } as const] : []),
  { op: 'create', path: queue.lead, data: nonce, mode: 'ephemeral' },
]

export const resign = (queue: QueuePaths, term: number): readonly Op[] => [
  fence(queue, term),
  { op: 'delete', path: queue.lead },
]

export const submit = (queue: QueuePaths, id: string, record: Uint8Array): Op => ({
  op: 'create',
  path: queue.record(id),
  data: record,
})

/** A schedule's tasks for `slots`; it moves on with them. */
export const fire = (
  queue: QueuePaths,
  term: number,
  sid: string,
  version: number,
  after: Schedule,
  slots: readonly number[],
): readonly Op[] => [
  fence(queue, term),
  { op: 'setData', path: queue.schedule(sid), data: encodeSchedule(after), version },
  ...slots.map((slot) => submit(queue, firedId(sid, slot), encodeRecord(after.template))),
]

/** Operations of one assignment in the batch. */
export const ASSIGN_OPS = 3

export const assign = (queue: QueuePaths, term: number, assigns: readonly Assign[]): readonly Op[] => [
  fence(queue, term),
  ...assigns.flatMap(({ id, wid, attempt, taskVersion, workerVersion }): readonly Op[] => [
    { op: 'check', path: queue.worker(wid), version: workerVersion },
    { op: 'check', path: queue.record(id), version: taskVersion },
    { op: 'create', path: queue.lease(wid, id, attempt) },
  ]),
]

const consume = (queue: QueuePaths, lease: LeaseFacts): Op => ({
  op: 'delete',
  path: queue.lease(lease.wid, lease.id, lease.attempt),
})

/** A failed task has a node among the dead letters, made and deleted with the state. */
const rewrite = (queue: QueuePaths, id: string, version: number, record: TaskRecord): readonly Op[] => [
  { op: 'setData', path: queue.record(id), data: encodeRecord(record), version },
  ...(record.state === 'failed' ? [{ op: 'create', path: queue.deadLetter(id) } as const] : []),
]

/** The handler's result, together with whatever it wants committed exactly once. */
export const settleRun = (
  queue: QueuePaths,
  lease: LeaseFacts,
  version: number,
  record: TaskRecord,
  also: readonly Op[],
): readonly Op[] => [consume(queue, lease), ...rewrite(queue, lease.id, version, record), ...also]

/** The task has ended without this run: only its lease is left to remove. */
export const dropLease = (queue: QueuePaths, lease: LeaseFacts): readonly Op[] => [consume(queue, lease)]

export const revoke = (
  queue: QueuePaths,
  term: number,
  lease: LeaseFacts,
  version: number,
  record: TaskRecord,
): readonly Op[] => [
  fence(queue, term),
  ...absent(queue.worker(lease.wid)),
  consume(queue, lease),
  ...rewrite(queue, lease.id, version, record),
]

/** By the dispatcher's word: an attempt that took too long, a task whose time is over, or that waits for one that failed. */
export const end = (
  queue: QueuePaths,
  term: number,
  id: string,
  lease: LeaseFacts | null,
  version: number,
  record: TaskRecord,
): readonly Op[] => [
  fence(queue, term),
  ...(lease === null ? [] : [consume(queue, lease)]),
  ...rewrite(queue, id, version, record),
]

/** While the lease is held; progress and log are kept in the record, so that the next attempt finds its checkpoint. */
export const report = (queue: QueuePaths, lease: LeaseFacts, version: number, record: TaskRecord): readonly Op[] => [
  { op: 'check', path: queue.lease(lease.wid, lease.id, lease.attempt), version: -1 },
  ...rewrite(queue, lease.id, version, record),
]

/** A failed task waits again. */
export const revive = (queue: QueuePaths, id: string, version: number, record: TaskRecord): readonly Op[] => [
  ...rewrite(queue, id, version, record),
  { op: 'delete', path: queue.deadLetter(id) },
]

/** A dead worker's lease of a task that has ended or was removed. */
export const revokeEnded = (queue: QueuePaths, term: number, lease: LeaseFacts): readonly Op[] => [
  fence(queue, term),
  ...absent(queue.worker(lease.wid)),
  consume(queue, lease),
]

/** Any data in a lease tells its worker to stop. */
export const stop = (queue: QueuePaths, term: number, lease: LeaseFacts): readonly Op[] => [
  fence(queue, term),
  { op: 'setData', path: queue.lease(lease.wid, lease.id, lease.attempt), data: 'stop' },
]

export const register = (queue: QueuePaths, wid: string, worker: WorkerRecord): readonly Op[] => [
  { op: 'create', path: queue.mailbox(wid) },
  { op: 'create', path: queue.worker(wid), data: encodeWorker(worker), mode: 'ephemeral' },
]

/** Refused with NotEmpty while there are leases. */
export const unregister = (queue: QueuePaths, wid: string): readonly Op[] => [
  { op: 'delete', path: queue.mailbox(wid) },
  { op: 'delete', path: queue.worker(wid) },
]

export const bury = (queue: QueuePaths, term: number, wid: string): readonly Op[] => [
  fence(queue, term),
  ...absent(queue.worker(wid)),
  { op: 'delete', path: queue.mailbox(wid) },
]

/** Each as it was when it was chosen: one that was revived since stays, and all of them with it. */
export const collect = (queue: QueuePaths, term: number, ended: readonly TaskFacts[]): readonly Op[] => [
  fence(queue, term),
  ...ended.flatMap(({ id, version, state }): readonly Op[] => [
    { op: 'delete', path: queue.record(id), version },
    ...(state === 'failed' ? [{ op: 'delete', path: queue.deadLetter(id) } as const] : []),
  ]),
]

/* The records that these steps write. */

export const doneRecord = (record: TaskRecord, by: string, output: Value): TaskRecord => ({
  ...record,
  state: 'done',
  by,
  value: output,
  checkpoint: undefined,
  failure: null,
})

/** Waits for the next attempt while there is one, else `failed` (and keeps the input). */
export function failedRecord(
  record: TaskRecord,
  by: string | null,
  failure: TaskFailure,
  final: boolean,
  chance: number,
): TaskRecord {
  const fails = record.fails + 1
  const over = final || fails > record.retry.max
  return {
    ...record,
    state: over ? 'failed' : 'wait',
    by,
    fails,
    failure,
    attempt: record.attempt + 1,
    delay: over ? 0 : retryDelay(record.retry, fails, chance),
  }
}

/** The worker died: another budget than that of failures. */
export function crashedRecord(record: TaskRecord): TaskRecord {
  const crashes = record.crashes + 1
  const over = crashes > record.maxCrashes
  return {
    ...record,
    state: over ? 'failed' : 'wait',
    by: null,
    crashes,
    attempt: record.attempt + 1,
    delay: 0,
    failure: over ? { name: 'WorkerCrashed', message: `its worker was lost ${crashes} times` } : record.failure,
  }
}

/** Given back unfinished by a worker that closes: no budget is used. */
export const returnedRecord = (record: TaskRecord): TaskRecord => ({
  ...record,
  attempt: record.attempt + 1,
  delay: 0,
  by: null,
})

export const cancelledRecord = (record: TaskRecord, reason: string): TaskRecord => ({
  ...record,
  state: 'cancelled',
  by: null,
  failure: { name: 'Cancelled', message: reason },
  value: NO_VALUE,
})

/** Ended by the dispatcher, not by a run. */
export const endedRecord = (record: TaskRecord, failure: TaskFailure): TaskRecord => ({
  ...record,
  state: 'failed',
  by: null,
  attempt: record.attempt + 1,
  delay: 0,
  failure,
})

/** A failed task gets all its attempts again, at once. What it waited for does not count any more. */
export const revivedRecord = (record: TaskRecord): TaskRecord => ({
  ...record,
  state: 'wait',
  by: null,
  attempt: record.attempt + 1,
  fails: 0,
  crashes: 0,
  delay: 0,
  expires: 0,
})
