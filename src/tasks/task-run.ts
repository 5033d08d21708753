import type { Op, Stat } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { hasCode, sessionIsOver, untilAnswered, untilConnected } from '../recipes/retry.ts'
import { chance } from '../recipes/world.ts'
import type { LeaseFacts } from './lease-index.ts'
import { failedOp } from './multi-failure.ts'
import { leaseName, type QueuePaths } from './queue-paths.ts'
import { RunJournal } from './run-journal.ts'
import { failureOf, NonRetryable, type RunEnd, RunEndedError } from './task-error.ts'
import { isTerminal, readRecord, type TaskRecord } from './task-record.ts'
import type { Handler, TaskContext } from './task-types.ts'
import type { TaskWorld } from './task-world.ts'
import * as transitions from './transitions.ts'
import { fromValue, toValue } from './value.ts'

/** What is to be written: a function of the record, since that may have to be read again. */
interface Outcome {
  readonly record: (before: TaskRecord) => TaskRecord
  readonly also: readonly Op[]
}

export interface RunPlan {
  readonly lease: LeaseFacts
  readonly handlerOf: (name: string) => Handler<unknown, unknown> | null
  readonly valueBytesMax: number
}

const MESSAGES: Readonly<Record<RunEnd, string>> = {
  LeaseLost: 'the lease on this task was lost: another run has it',
  Cancelled: 'the task was cancelled',
  Timeout: 'the attempt took longer than its timeout',
  Closing: 'the worker closes; the task is given back',
}

/** One attempt at one task: reads it, runs the handler, commits what came of it by consuming the lease. */
export class TaskRun {
  readonly lease: LeaseFacts
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  readonly #plan: RunPlan
  readonly #path: string
  readonly #abort = new AbortController()
  readonly #interrupted: Promise<RunEnd>
  #interrupt: (end: RunEnd) => void = () => {}
  #ended: RunEnd | null = null
  /** The lease was taken from a worker that lives: its dispatcher waits for a sign of life. */
  wasTaken = false

  constructor(world: TaskWorld, queue: QueuePaths, plan: RunPlan) {
    this.#world = world
    this.#queue = queue
    this.#plan = plan
    this.lease = plan.lease
    this.#path = queue.lease(plan.lease.wid, plan.lease.id, plan.lease.attempt)
    this.#interrupted = new Promise((resolve) => {
      this.#interrupt = resolve
    })
  }

  /** Tells the handler to stop. Only a cancelled run still waits for it; the others end at once. */
  end(code: RunEnd): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(new RunEndedError(code, MESSAGES[code]))
    if (code === 'Cancelled') return
    this.#ended ??= code
    this.#interrupt(this.#ended)
  }

  /** Resolves when this run has nothing more to write. Rejects only where the world is not as it must be. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } catch (error) {
      if (!sessionIsOver(error)) throw error
      this.end('LeaseLost')
    }
  }

  async #run(): Promise<void> {
    const { client } = this.#world
    const [held, task] = await Promise.all([
      untilAnswered(client, () => dataOrNull(client, this.#path)),
      untilAnswered(client, () => dataOrNull(client, this.#queue.record(this.lease.id))),
    ])
    if (held === null) return this.#taken()
    const record = readRecord(task?.data ?? null)
    if (task === null || record === null || isTerminal(record)) return this.#drop()
    const journal = new RunJournal(this.#world.clock, record, () => this.#report(journal))
    const outcome = await this.#handle(record, held.stat, journal)
    await journal.stop()
    if (outcome !== null) await this.#commit(outcome, journal.into(record), task.stat.version, journal)
  }

  /** Writes what the handler said so far into the record, if the lease is still there. */
  async #report(journal: RunJournal): Promise<void> {
    const { client } = this.#world
    for (;;) {
      const task = await untilAnswered(client, () => dataOrNull(client, this.#queue.record(this.lease.id)))
      const record = readRecord(task?.data ?? null)
      const over = this.#abort.signal.aborted || task === null || record === null || isTerminal(record)
      if (over) throw this.#abort.signal.reason ?? new RunEndedError('Cancelled', MESSAGES.Cancelled)
      try {
        await client.multi(transitions.report(this.#queue, this.lease, task.stat.version, journal.into(record)))
        return
      } catch (error) {
        const refused = failedOp(error)
        if (refused?.index === 0) throw new RunEndedError('LeaseLost', MESSAGES.LeaseLost)
        if (hasCode(error, 'ConnectionLoss')) await untilConnected(client)
        else if (refused?.code !== 'BadVersion') throw error
      }
    }
  }

  async #handle(record: TaskRecord, held: Stat, journal: RunJournal): Promise<Outcome | null> {
    const also: Op[] = []
    const context: TaskContext = {
      id: this.lease.id,
      attempt: this.lease.attempt,
      signal: this.#abort.signal,
      token: { zxid: held.czxid, path: this.#path, version: held.version },
      guard: () => ({ op: 'check', path: this.#path, version: -1 }),
      checkpoint: record.checkpoint,
      saveCheckpoint: (state) => journal.save(state),
      progress: (value) => journal.progress(value),
      log: (line) => journal.log(line),
      alsoCommit: (ops) => {
        also.push(...ops)
      },
    }
    const stopTimer = record.timeout > 0 ? this.#world.clock.after(record.timeout, () => this.end('Timeout')) : null
    try {
      const ended = this.#ended ?? (await Promise.race([this.#call(record, context, also), this.#interrupted]))
      if (typeof ended !== 'string') return ended
      if (ended === 'LeaseLost') {
        this.wasTaken = true
        return null
      }
      if (ended === 'Closing') return { record: transitions.returnedRecord, also: [] }
      return this.#failure(new RunEndedError(ended, MESSAGES[ended]))
    } finally {
      stopTimer?.()
    }
  }

  /** Never rejects. */
  async #call(record: TaskRecord, context: TaskContext, also: readonly Op[]): Promise<Outcome> {
    try {
      const handler = this.#plan.handlerOf(record.name)
      if (handler === null) throw new Error(`this worker has no handler for ${record.name}`)
      const output = await handler(fromValue(record.value), context)
      const value = toValue('result', output, this.#plan.valueBytesMax)
      return { record: (before) => transitions.doneRecord(before, this.#by, value), also: [...also] }
    } catch (error) {
      return this.#failure(error)
    }
  }

  get #by(): string {
    return `${this.lease.wid}/${leaseName(this.lease.id, this.lease.attempt)}`
  }

  #failure(error: unknown): Outcome {
    const failure = failureOf(error)
    const final = error instanceof NonRetryable || failure.name === 'NonRetryable'
    const luck = chance(this.#world.random)
    return {
      record: (before) => transitions.failedRecord(before, this.#by, failure, final, luck),
      also: [],
    }
  }

  /** Repeats until the outcome is known. The lease decides: who deletes it has written this attempt's end. */
  async #commit(first: Outcome, before: TaskRecord, version: number, journal: RunJournal): Promise<void> {
    const { client } = this.#world
    let outcome = first
    let record = before
    let expected = version
    for (;;) {
      let refused: ReturnType<typeof failedOp>
      try {
        const next = outcome.record(record)
        await client.multi(transitions.settleRun(this.#queue, this.lease, expected, next, outcome.also))
        return
      } catch (error) {
        if (hasCode(error, 'ConnectionLoss')) {
          await untilConnected(client)
          continue
        }
        refused = failedOp(error)
        if (refused === null || refused.index > 1) {
          if (sessionIsOver(error) || outcome !== first) throw error
          // What the handler wanted committed with its result is refused: so is the result.
          outcome = this.#failure(error)
          continue
        }
      }
      // The lease is gone: revoked, or our own commit whose reply was lost. Either way nothing is left to write.
      if (refused.index === 0) return this.#taken()
      const task = await untilAnswered(client, () => dataOrNull(client, this.#queue.record(this.lease.id)))
      const now = readRecord(task?.data ?? null)
      if (task === null || now === null || isTerminal(now)) return this.#drop()
      record = journal.into(now)
      expected = task.stat.version
    }
  }

  #taken(): void {
    this.wasTaken = true
    this.end('LeaseLost')
  }

  /** The task has ended without this run; only the lease is left. */
  async #drop(): Promise<void> {
    const { client } = this.#world
    this.end('Cancelled')
    try {
      await untilAnswered(client, () => client.multi(transitions.dropLease(this.#queue, this.lease)))
    } catch (error) {
      if (!hasCode(error, 'NoNode')) throw error
    }
  }
}
