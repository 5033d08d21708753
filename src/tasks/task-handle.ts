import { KeeperError } from '../base/errors.ts'
import type { Stat } from '../client/api.ts'
import { checkWait } from '../recipes/arguments.ts'
import { type WaitOptions, waitSignal } from '../recipes/deadline.ts'
import { dataOrNull, untilChange } from '../recipes/node-change.ts'
import { aborted, hasCode, untilAnswered, untilConnected } from '../recipes/retry.ts'
import type { QueuePaths } from './queue-paths.ts'
import { TaskCancelledError, TaskFailedError } from './task-error.ts'
import { reportOf } from './task-inquiry.ts'
import { decodeRecord, encodeRecord, isTerminal, type TaskRecord } from './task-record.ts'
import type { TaskHandle, TaskReport, TaskState } from './task-types.ts'
import type { TaskWorld } from './task-world.ts'
import { cancelledRecord, revive, revivedRecord } from './transitions.ts'
import { fromValue } from './value.ts'

const noTask = (id: string): KeeperError =>
  new KeeperError('NoNode', `there is no task ${id}: never added, or ended long ago and collected`, { path: 'id' })

/** A task by its id. It holds nothing open. */
export class StoredTask<Out> implements TaskHandle<Out> {
  readonly id: string
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  readonly #path: string

  constructor(world: TaskWorld, queue: QueuePaths, id: string) {
    this.#world = world
    this.#queue = queue
    this.#path = queue.record(id)
    this.id = id
  }

  async result(options: WaitOptions = {}): Promise<Out> {
    using wait = waitSignal(this.#world.clock, options)
    for (;;) {
      const { record } = await this.#next(wait.signal, ({ record }) => isTerminal(record))
      if (isTerminal(record)) return this.#resultOf(record)
    }
  }

  /** The record once `enough` says so: watch, then read; whatever happens in between, this sees it. */
  async #next(signal: AbortSignal | undefined, enough: (now: Known) => boolean): Promise<Known> {
    const { client } = this.#world
    let found: Known | null = null
    while (found === null) {
      await untilChange(
        client,
        async (watch) => {
          const node = await dataOrNull(client, this.#path, { watch })
          if (node === null) throw noTask(this.id)
          const known = { record: decodeRecord(node.data), stat: node.stat }
          if (enough(known)) found = known
          return !enough(known)
        },
        signal,
      )
    }
    return found
  }

  #resultOf(record: TaskRecord): Out {
    const failure = record.failure ?? { name: 'Error', message: '' }
    if (record.state === 'failed') throw new TaskFailedError(this.id, failure)
    if (record.state === 'cancelled') throw new TaskCancelledError(this.id, failure.message)
    return fromValue(record.value) as Out
  }

  async #read(): Promise<Known> {
    const { client } = this.#world
    const node = await untilAnswered(client, () => dataOrNull(client, this.#path))
    if (node === null) throw noTask(this.id)
    return { record: decodeRecord(node.data), stat: node.stat }
  }

  async state(): Promise<TaskState> {
    return (await this.report()).state
  }

  async report(): Promise<TaskReport> {
    const { record, stat } = await this.#read()
    return reportOf(this.#world, this.#queue, this.id, record, stat)
  }

  async *events(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<TaskReport, void, undefined> {
    const { signal } = checkWait(options)
    let seen = -1
    for (;;) {
      if (signal?.aborted) throw aborted(signal)
      const { record, stat } = await this.#next(signal, ({ stat }) => stat.mzxid !== seen)
      seen = stat.mzxid
      yield await reportOf(this.#world, this.#queue, this.id, record, stat)
      if (isTerminal(record)) return
    }
  }

  async cancel(reason = ''): Promise<'cancelled' | 'already-finished'> {
    const cancelled = await this.#rewrite(
      (record) => (isTerminal(record) ? null : cancelledRecord(record, String(reason).slice(0, 2000))),
      ({ state }) => state === 'cancelled',
    )
    return cancelled ? 'cancelled' : 'already-finished'
  }

  retry(): Promise<boolean> {
    return this.#rewrite(
      (record) => (record.state === 'failed' ? revivedRecord(record) : null),
      ({ state }) => state !== 'failed',
    )
  }

  /** Writes what `change` makes of the record, unless null. After a lost reply `isOurs` tells whether it was written. */
  async #rewrite(
    change: (record: TaskRecord) => TaskRecord | null,
    isOurs: (record: TaskRecord) => boolean,
  ): Promise<boolean> {
    const { client } = this.#world
    let mayBeDone = false
    for (;;) {
      const { record, stat } = await this.#read()
      const next = change(record)
      if (next === null) return mayBeDone && isOurs(record)
      try {
        if (record.state === 'failed') await client.multi(revive(this.#queue, this.id, stat.version, next))
        else await client.setData(this.#path, encodeRecord(next), { version: stat.version })
        return true
      } catch (error) {
        if (hasCode(error, 'ConnectionLoss')) {
          mayBeDone = true
          await untilConnected(client)
          await untilAnswered(client, () => client.sync(this.#path))
        } else if (!hasCode(error, 'BadVersion', 'NoNode')) throw error
      }
    }
  }
}

interface Known {
  readonly record: TaskRecord
  readonly stat: Stat
}
