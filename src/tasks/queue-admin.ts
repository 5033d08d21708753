import { checkObject } from '../client/arguments.ts'
import { checkWait } from '../recipes/arguments.ts'
import { type WaitOptions, waitSignal } from '../recipes/deadline.ts'
import { dataOrNull, untilChange } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, untilAnswered } from '../recipes/retry.ts'
import type { QueueStats } from './dispatcher-state.ts'
import { checkInteger } from './names.ts'
import { checkConfig, encodeConfig, type QueueConfig, readConfig } from './queue-config.ts'
import { type QueueEventTarget, queueEventTarget } from './queue-event-target.ts'
import { type QueueEvent, queueEvents } from './queue-events.ts'
import { ensureQueue } from './queue-nodes.ts'
import type { QueuePaths } from './queue-paths.ts'
import { readStats } from './queue-room.ts'
import { dropSchedule, type ScheduleInfo, schedulesOf } from './schedules.ts'
import { StoredTask } from './task-handle.ts'
import { readRecord, type TaskFailure } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'

/** A task that failed for good. Its input is kept, so that it can be tried again. */
export interface DeadLetter {
  readonly id: string
  readonly name: string
  readonly failure: TaskFailure
}

/** What is done with a queue as a whole; it holds for all pages. */
export abstract class QueueAdmin {
  readonly name: string
  readonly #world: TaskWorld
  readonly #paths: QueuePaths

  constructor(world: TaskWorld, paths: QueuePaths) {
    this.name = paths.name
    this.#world = world
    this.#paths = paths
  }

  /** The queue's limits as they are now. */
  async config(): Promise<QueueConfig> {
    const { client } = this.#world
    return readConfig((await untilAnswered(client, () => dataOrNull(client, this.#paths.root)))?.data ?? null)
  }

  /** Changes what is given and leaves the rest; a limit is removed by `undefined`. BadArguments names what is wrong. */
  async configure(change: { readonly [K in keyof QueueConfig]?: QueueConfig[K] | undefined }): Promise<QueueConfig> {
    checkObject(change, 'config')
    const { client } = this.#world
    await ensureQueue(client, this.#paths)
    for (;;) {
      const { data, stat } = await untilAnswered(client, () => client.getData(this.#paths.root))
      const given = Object.entries({ ...readConfig(data), ...change }).filter(([, value]) => value !== undefined)
      const next = checkConfig(Object.fromEntries(given))
      try {
        const { version } = stat
        // Repeated after a lost reply it may meet its own write; then the same is written once more.
        await untilAnswered(client, () => client.setData(this.#paths.root, encodeConfig(next), { version }))
        return next
      } catch (error) {
        if (!hasCode(error, 'BadVersion')) throw error
      }
    }
  }

  /** Nothing new is started anywhere until `resume`; what runs goes on. */
  async pause(): Promise<void> {
    await this.configure({ paused: true })
  }

  async resume(): Promise<void> {
    await this.configure({ paused: undefined })
  }

  /** As the dispatcher published them, at most about a second ago; ended tasks as far as they are kept. */
  async stats(): Promise<QueueStats> {
    const { upTo: _, ...stats } = await readStats(this.#world, this.#paths)
    return stats
  }

  /** Resolves when no task waits, is delayed, blocked or runs, of all that were added before the call. Timeout, Aborted. */
  async drained(options: WaitOptions = {}): Promise<void> {
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    await ensureQueue(client, this.#paths)
    const { mzxid } = await untilAnswered(client, () => client.setData(this.#paths.poke, null), wait.signal)
    for (let empty = false; !empty; ) {
      await untilChange(
        client,
        async (watch) => {
          await client.getData(this.#paths.stat, { watch })
          const { upTo, waiting, delayed, blocked, running } = await readStats(this.#world, this.#paths)
          empty = upTo >= mzxid && waiting + delayed + blocked + running === 0
          return !empty
        },
        wait.signal,
      )
    }
  }

  /** Every change of a task from here on. Ends by `break`, `signal` (throws Aborted), or with the session (throws). */
  events(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<QueueEvent, void, undefined> {
    return queueEvents(this.#world, this.#paths, checkWait(options).signal)
  }

  /** The same for `addEventListener`: `waiting`, `progress`, `done`, `failed`, `cancelled`, `collected`, `resync`, and `end` when the session is over. */
  listen(options: { readonly signal?: AbortSignal } = {}): QueueEventTarget {
    return queueEventTarget(this.#world, this.#paths, checkWait(options).signal)
  }

  /** Tasks that failed for good, at most `max` (default 100). */
  async deadLetters(max = 100): Promise<readonly DeadLetter[]> {
    checkInteger('max', max, 0, Number.MAX_SAFE_INTEGER)
    const { client } = this.#world
    const letters: DeadLetter[] = []
    for (const id of (await childrenOf(client, this.#paths.dead)).slice(0, max)) {
      const node = await untilAnswered(client, () => dataOrNull(client, this.#paths.record(id)))
      const record = readRecord(node?.data ?? null)
      if (record?.state !== 'failed') continue
      letters.push({ id, name: record.name, failure: record.failure ?? { name: 'Error', message: '' } })
    }
    return letters
  }

  /** Lets all dead letters wait again; how many. */
  async retryDeadLetters(): Promise<number> {
    const ids = await childrenOf(this.#world.client, this.#paths.dead)
    const retried = await Promise.all(
      ids.map((id) => new StoredTask(this.#world, this.#paths, id).retry().catch(noNodeIsFalse)),
    )
    return retried.filter((done) => done).length
  }

  schedules(): Promise<readonly ScheduleInfo[]> {
    return schedulesOf(this.#world, this.#paths)
  }

  /** The tasks that it added stay. False: there was none of that id. */
  unschedule(id: string): Promise<boolean> {
    return dropSchedule(this.#world, this.#paths, id)
  }
}

function noNodeIsFalse(error: unknown): boolean {
  if (hasCode(error, 'NoNode')) return false
  throw error
}
