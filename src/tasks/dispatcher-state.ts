import type { Zxid } from '../base/zxid.ts'
import { type Assign, assignBatch } from './assignment.ts'
import { type LeaseFacts, LeaseIndex } from './lease-index.ts'
import type { Labels } from './names.ts'
import { leaseName } from './queue-paths.ts'
import { TaskIndex } from './task-index.ts'
import type { RecordState } from './task-record.ts'
import { WorkerIndex } from './worker-index.ts'
import type { WorkerRecord } from './worker-record.ts'

/** What the dispatcher keeps of a record: never the input or the output. */
export interface TaskFacts {
  readonly id: string
  readonly state: RecordState
  readonly name: string
  readonly requires: Labels
  readonly priority: number
  readonly attempt: number
  /** The leader's clock. */
  readonly due: number
  readonly version: number
  readonly czxid: Zxid
  readonly mzxid: Zxid
  /** The leader's clock. */
  readonly mtime: number
}

/** What is to be committed. Each is its own transaction, but for `assigns` (one for all) and `collects` (one for all). */
export interface Orders {
  /** At most 32. The leases count as taken until told otherwise. */
  readonly assigns: readonly Assign[]
  /** Leases of workers that are gone. */
  readonly revokes: readonly LeaseFacts[]
  /** Leases whose task has ended without them: their worker must stop. */
  readonly stops: readonly LeaseFacts[]
  /** Empty mailboxes of workers that are gone. */
  readonly buries: readonly string[]
  /** Ended tasks beyond retention. */
  readonly collects: readonly string[]
  /** Records to read again. */
  readonly reads: readonly string[]
  /** When the next delayed task is due, or null. */
  readonly wakeAt: number | null
}

export interface QueueStats {
  readonly waiting: number
  readonly delayed: number
  readonly running: number
  readonly done: number
  readonly failed: number
  readonly cancelled: number
  readonly workers: number
}

const COLLECT_MAX = 64
/** Milliseconds that an ended task stays whatever the retention, so that who is about to ask for its result finds it. */
const COLLECT_AFTER = 10_000

/** The dispatcher's knowledge of one queue, and what follows from it. Facts in, orders out; O(log n) per change. */
export class DispatcherState {
  readonly #tasks = new TaskIndex()
  readonly #workers = new WorkerIndex()
  readonly #leases = new LeaseIndex()
  readonly #keep: number
  readonly #stale = new Set<string>()

  /** `keep`: how many ended tasks are kept. */
  constructor(keep: number) {
    this.#keep = keep
  }

  /** The record as read. Older news than what is known is ignored. */
  record(facts: TaskFacts): void {
    this.#stale.delete(facts.id)
    const lease = this.#leases.ofTask(facts.id)
    if (lease !== null && lease.attempt < facts.attempt) this.#dropLease(lease)
    this.#tasks.put(facts, this.#leases.ofTask(facts.id) !== null)
    if (facts.state !== 'wait') this.#leases.ended(facts.id)
  }

  /** The record does not exist (any more), or is unreadable. */
  noRecord(id: string): void {
    this.#stale.delete(id)
    this.#tasks.remove(id)
    this.#leases.ended(id)
  }

  lease(lease: LeaseFacts): void {
    const known = this.#leases.ofTask(lease.id)
    if (known !== null && known.attempt >= lease.attempt) return
    if (known !== null) this.#dropLease(known)
    const alive = this.#workers.used(lease.wid, 1)
    this.#leases.put(lease, alive)
    this.#tasks.hold(lease.id, true)
    if (this.#tasks.hasEnded(lease.id)) this.#leases.ended(lease.id)
  }

  /** A task that loses its lease waits until its record is read again: it changed in the same transaction. */
  leaseGone(lease: { readonly id: string; readonly attempt: number }): void {
    const known = this.#leases.ofTask(lease.id)
    if (known === null || leaseName(known.id, known.attempt) !== leaseName(lease.id, lease.attempt)) return
    this.#dropLease(known)
    this.#stale.add(lease.id)
  }

  #dropLease(lease: LeaseFacts): void {
    this.#leases.remove(lease)
    this.#workers.used(lease.wid, -1)
    this.#tasks.unknown(lease.id)
  }

  worker(wid: string, record: WorkerRecord, version: number): void {
    this.#workers.put(wid, record, version, this.#leases.countOf(wid))
    this.#leases.workerAlive(wid)
  }

  workerGone(wid: string): void {
    this.#workers.remove(wid)
    this.#leases.workerGone(wid)
  }

  /** A mailbox was found at takeover; a later one is known by its worker. */
  mailbox(wid: string): void {
    if (!this.#workers.has(wid)) this.#leases.mailbox(wid)
  }

  mailboxGone(wid: string): void {
    this.#leases.mailboxGone(wid)
  }

  /** An assignment that was not committed: its task is free again. */
  notAssigned(assign: Assign): void {
    const known = this.#leases.ofTask(assign.id)
    if (known === null || known.attempt !== assign.attempt || known.wid !== assign.wid) return
    this.#leases.remove(known)
    this.#workers.used(assign.wid, -1)
    this.#tasks.hold(assign.id, false)
  }

  /** A revoke or a stop that has to be ordered again. */
  again(lease: LeaseFacts): void {
    this.#leases.again(lease, this.#workers.has(lease.wid), this.#tasks.hasEnded(lease.id))
  }

  /** What is to be done now; nothing is ordered twice. `now` is milliseconds on the leader's clock. */
  orders(now: number): Orders {
    const reads = [...this.#stale]
    this.#stale.clear()
    this.#tasks.promote(now)
    return {
      assigns: this.moreAssigns(),
      revokes: this.#leases.takeOrphans(),
      stops: this.#leases.takeStops(),
      buries: this.#leases.takeEmpty(),
      collects: this.#tasks.takeEnded(this.#keep, now - COLLECT_AFTER, COLLECT_MAX),
      reads,
      wakeAt: this.#tasks.nextDue(),
    }
  }

  /** The next batch of assignments alone, behind a full one. */
  moreAssigns(): readonly Assign[] {
    const assigns = assignBatch(this.#tasks, this.#workers)
    for (const { wid, id, attempt } of assigns) {
      this.#leases.put({ wid, id, attempt }, true)
      this.#tasks.hold(id, true)
    }
    return assigns
  }

  stats(): QueueStats {
    return { ...this.#tasks.counts(), workers: this.#workers.size }
  }
}
