import { type Assign, assignBatch } from './assignment.ts'
import { type LeaseFacts, LeaseIndex } from './lease-index.ts'
import { type Ending, Overdue } from './overdue.ts'
import type { QueueConfig } from './queue-config.ts'
import { ScheduleIndex } from './schedule-index.ts'
import type { TaskFacts } from './task-facts.ts'
import { TaskIndex } from './task-index.ts'
import { WorkerIndex } from './worker-index.ts'
import type { WorkerRecord } from './worker-record.ts'

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
  readonly collects: readonly TaskFacts[]
  /** Tasks that end, or whose attempt ends, by the dispatcher's word. */
  readonly endings: readonly Ending[]
  /** Schedules whose time has come. */
  readonly fires: readonly string[]
  /** Records to read again. */
  readonly reads: readonly string[]
  /** When something will be due next, or null. */
  readonly wakeAt: number | null
}

export interface QueueStats {
  readonly waiting: number
  readonly delayed: number
  /** They wait for other tasks. */
  readonly blocked: number
  readonly running: number
  readonly done: number
  readonly failed: number
  readonly cancelled: number
  readonly workers: number
  /** Of all workers; those with nothing to do. */
  readonly slots: number
  readonly free: number
}

const AGAIN_AFTER = 1000
const COLLECT_MAX = 64
/** Milliseconds that an ended task stays whatever the retention, so that who is about to ask for its result finds it. */
const COLLECT_AFTER = 10_000

/** The dispatcher's knowledge of one queue, and what follows from it. Facts in, orders out; O(log n) per change. */
export class DispatcherState {
  readonly #tasks = new TaskIndex()
  readonly #workers = new WorkerIndex()
  readonly #leases = new LeaseIndex()
  readonly #overdue = new Overdue()
  readonly #schedules = new ScheduleIndex()
  readonly #keep: number
  readonly #stale = new Set<string>()
  #config: QueueConfig = {}
  #now = 0

  /** `keep`: how many ended tasks are kept where the queue does not say. */
  constructor(keep: number) {
    this.#keep = keep
  }

  /** Milliseconds on the leader's clock: what is told from here on happened about then. */
  tick(now: number): void {
    this.#now = Math.max(this.#now, now)
  }

  config(config: QueueConfig): void {
    this.#config = config
    this.#tasks.ready.configure(config, this.#now)
  }

  /** `next`: milliseconds on the leader's clock, 0 for never. Each due one is ordered once until it is told again. */
  schedule(sid: string, version: number, next: number): void {
    this.#schedules.put(sid, version, next)
  }

  scheduleGone(sid: string): void {
    this.#schedules.remove(sid)
  }

  /** The record as read. Older news than what is known is ignored. */
  record(facts: TaskFacts): void {
    this.#stale.delete(facts.id)
    const lease = this.#leases.ofTask(facts.id)
    if (lease !== null && lease.attempt < facts.attempt) this.#dropLease(lease)
    this.#tasks.put(facts, this.#leases.ofTask(facts.id) !== null)
    if (facts.state !== 'wait') this.#leases.ended(facts.id)
    else if (facts.expiresAt > 0) this.#overdue.expires(facts.id, facts.expiresAt)
    this.#watchTimeout(facts.id)
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
    this.#leases.put(lease, alive, this.#now)
    this.#tasks.hold(lease.id, true)
    if (this.#tasks.hasEnded(lease.id)) this.#leases.ended(lease.id)
    this.#watchTimeout(lease.id)
  }

  #watchTimeout(id: string): void {
    const lease = this.#leases.ofTask(id)
    const timeout = this.#tasks.get(id)?.timeout ?? 0
    if (lease !== null && timeout > 0) this.#overdue.timeout(lease, this.#leases.since(id) + timeout)
  }

  /** A task that loses its lease waits until its record is read again: it changed in the same transaction. */
  leaseGone(lease: LeaseFacts): void {
    const known = this.#leases.ofTask(lease.id)
    // One of an assignment that was refused never was: another worker may have the same attempt by now.
    if (known === null || !sameLease(known, lease)) return
    this.#dropLease(known)
    this.#stale.add(lease.id)
  }

  #dropLease(lease: LeaseFacts): void {
    const name = this.#tasks.get(lease.id)?.name
    if (name !== undefined) this.#workers.took(lease.wid, name, this.#now - this.#leases.since(lease.id))
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

  /** It let a lease run out: nothing for it until its node changes. */
  workerSilent(wid: string): void {
    this.#workers.silent(wid)
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

  /** An ending that was not committed, and may still be due: tried again a second later. */
  endAgain(ending: Ending): void {
    this.#overdue.again(ending, this.#now + AGAIN_AFTER)
  }

  /** What is to be done now; nothing is ordered twice. `now` is milliseconds on the leader's clock. */
  orders(now: number): Orders {
    this.tick(now)
    this.#tasks.promote(this.#now)
    const reads = [...this.#stale, ...this.#tasks.takeReads()]
    this.#stale.clear()
    const { keep = this.#keep, keepFor = Number.POSITIVE_INFINITY } = this.#config
    const assigns = this.moreAssigns()
    return {
      assigns,
      revokes: this.#leases.takeOrphans(),
      stops: this.#leases.takeStops(),
      buries: this.#leases.takeEmpty(),
      collects: this.#tasks.takeEnded(keep, this.#now - COLLECT_AFTER, this.#now - keepFor, COLLECT_MAX),
      endings: this.#endings(),
      fires: this.#schedules.take(this.#now),
      reads,
      wakeAt: soonest(
        this.#tasks.nextDue(),
        this.#tasks.ready.nextAt(),
        this.#overdue.nextAt(),
        this.#schedules.nextAt(),
      ),
    }
  }

  #endings(): readonly Ending[] {
    const endings: Ending[] = this.#tasks
      .takeBroken()
      .map(({ id, dependency, how }) => ({ id, lease: null, kind: 'DependencyFailed', detail: `${dependency} ${how}` }))
    for (const ending of this.#overdue.take(this.#now)) {
      const { id, kind } = ending
      const facts = this.#tasks.get(id)
      if (facts === null || facts.state !== 'wait') continue
      const lease = this.#leases.ofTask(id)
      if (kind === 'Expired') endings.push({ ...ending, lease })
      else if (kind === 'Timeout' && lease !== null && ending.lease !== null && sameLease(lease, ending.lease))
        endings.push(ending)
      else if (kind === 'DependencyFailed') endings.push(ending)
    }
    return endings
  }

  /** The next batch of assignments alone, behind a full one. */
  moreAssigns(): readonly Assign[] {
    const assigns = assignBatch(this.#tasks, this.#workers)
    for (const { wid, id, attempt } of assigns) {
      this.#leases.put({ wid, id, attempt }, true, this.#now)
      this.#watchTimeout(id)
    }
    return assigns
  }

  stats(): QueueStats {
    const { size: workers, slots, free } = this.#workers
    return { ...this.#tasks.counts(), workers, slots, free }
  }
}

const sameLease = (a: LeaseFacts, b: LeaseFacts): boolean => a.id === b.id && a.wid === b.wid && a.attempt === b.attempt

function soonest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.min(...known)
}
