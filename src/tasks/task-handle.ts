import { KeeperError } from '../base/errors.ts'
import { type WaitOptions, waitSignal } from '../recipes/deadline.ts'
import { dataOrNull, untilChange } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, untilAnswered, untilConnected } from '../recipes/retry.ts'
import { leaseName, type QueuePaths } from './queue-paths.ts'
import { TaskCancelledError, TaskFailedError } from './task-error.ts'
import { decodeRecord, encodeRecord, isTerminal, type TaskRecord } from './task-record.ts'
import type { TaskHandle, TaskState } from './task-types.ts'
import type { TaskWorld } from './task-world.ts'
import { cancelledRecord } from './transitions.ts'
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
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    let ended: TaskRecord | null = null
    // Watch, then read: however it ends in between, this sees it.
    while (ended === null) {
      await untilChange(
        client,
        async (watch) => {
          const node = await dataOrNull(client, this.#path, watch)
          if (node === null) throw noTask(this.id)
          const record = decodeRecord(node.data)
          if (isTerminal(record)) ended = record
          return !isTerminal(record)
        },
        wait.signal,
      )
    }
    return this.#resultOf(ended)
  }

  #resultOf(record: TaskRecord): Out {
    const failure = record.failure ?? { name: 'Error', message: '' }
    if (record.state === 'failed') throw new TaskFailedError(this.id, failure)
    if (record.state === 'cancelled') throw new TaskCancelledError(this.id, failure.message)
    return fromValue(record.value) as Out
  }

  async #read() {
    const { client } = this.#world
    const node = await untilAnswered(client, () => dataOrNull(client, this.#path))
    if (node === null) throw noTask(this.id)
    return { record: decodeRecord(node.data), stat: node.stat }
  }

  async state(): Promise<TaskState> {
    const { client, wallTime } = this.#world
    const { record, stat } = await this.#read()
    if (record.state !== 'wait') return record.state
    const lease = leaseName(this.id, record.attempt)
    const workers = await childrenOf(client, this.#queue.mailboxes)
    const leases = await Promise.all(workers.map((wid) => childrenOf(client, this.#queue.mailbox(wid))))
    if (leases.some((names) => names.includes(lease))) return 'running'
    const due = (record.attempt === 0 ? stat.ctime : stat.mtime) + record.delay
    return due > wallTime() ? 'delayed' : 'waiting'
  }

  async cancel(reason = ''): Promise<'cancelled' | 'already-finished'> {
    const { client } = this.#world
    let mayBeDone = false
    for (;;) {
      const { record, stat } = await this.#read()
      if (isTerminal(record)) return mayBeDone && record.state === 'cancelled' ? 'cancelled' : 'already-finished'
      try {
        const data = encodeRecord(cancelledRecord(record, String(reason).slice(0, 2000)))
        await client.setData(this.#path, data, { version: stat.version })
        return 'cancelled'
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
