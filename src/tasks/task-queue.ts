import { fromUtf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { untilAnswered } from '../recipes/retry.ts'
import { nonce } from '../recipes/world.ts'
import type { QueueStats } from './dispatcher-state.ts'
import { checkInteger, checkLabels, checkTaskName, checkWord } from './names.ts'
import { newRecord } from './new-task.ts'
import { QueuePaths } from './queue-paths.ts'
import { Submitter } from './submitter.ts'
import { StoredTask } from './task-handle.ts'
import type { AddOptions, Handler, Handlers, TaskHandle, TaskItem, TaskMap, WorkerOptions } from './task-types.ts'
import { TaskWorker } from './task-worker.ts'
import type { TaskWorld } from './task-world.ts'
import { toValue, VALUE_BYTES_DEFAULT, VALUE_BYTES_MAX } from './value.ts'
import { SLOTS_MAX } from './worker-record.ts'

export interface TaskQueueOptions {
  /** The task names that may be added; any, if left out. */
  readonly names?: readonly string[]
  /** An input's or output's bytes, at most 262 144. Default 32 768. */
  readonly valueBytesMax?: number
}

const NO_STATS: QueueStats = { waiting: 0, delayed: 0, running: 0, done: 0, failed: 0, cancelled: 0, workers: 0 }

/**
 * A queue of tasks, shared by all pages of the ensemble. `M` says what each task takes and gives. A task that was added is
 * never lost: it ends done, failed or cancelled. It may run more than once, and completes once.
 */
export class TaskQueue<M extends TaskMap<M>> implements AsyncDisposable {
  readonly name: string
  readonly #world: TaskWorld
  readonly #paths: QueuePaths
  readonly #names: ReadonlySet<string> | null
  readonly #valueBytesMax: number
  readonly #submitter: Submitter
  readonly #workers = new Set<TaskWorker>()
  readonly #series: string
  #count = 0
  #closed = false

  /** BadArguments names what is wrong. Nothing is made in the ensemble before the first task or worker. */
  constructor(world: TaskWorld, name: string, options: TaskQueueOptions = {}) {
    this.name = checkWord('name', name)
    this.#world = world
    this.#paths = new QueuePaths(name)
    this.#names = options.names === undefined ? null : new Set(options.names)
    this.#valueBytesMax = checkInteger(
      'valueBytesMax',
      options.valueBytesMax ?? VALUE_BYTES_DEFAULT,
      1,
      VALUE_BYTES_MAX,
    )
    this.#submitter = new Submitter(world.client, this.#paths)
    this.#series = nonce(world.random)
  }

  /**
   * Resolves when a quorum has the task. To add an id that is there already is to get its handle. BadArguments, TooLarge
   * name the argument; NodeExists: the id belongs to a task of another name.
   */
  async add<K extends keyof M & string>(
    name: K,
    input: M[K]['in'],
    options: AddOptions = {},
  ): Promise<TaskHandle<M[K]['out']>> {
    this.#checkOpen()
    checkTaskName('name', name)
    if (this.#names !== null && !this.#names.has(name)) {
      throw new KeeperError('BadArguments', `this queue has no task ${name}`, { path: 'name' })
    }
    const value = toValue('input', input, this.#valueBytesMax)
    const id = options.id === undefined ? this.#nextId() : checkWord('id', options.id)
    await this.#submitter.submit(id, newRecord(name, value, nonce(this.#world.random), options))
    return this.handle(name, id)
  }

  /** Adds many in few transactions. Rejects with the first refusal; the others may have been added. */
  addAll(items: readonly TaskItem<M>[]): Promise<TaskHandle<M[keyof M & string]['out']>[]> {
    return Promise.all(items.map(({ name, input, options }) => this.add(name, input, options)))
  }

  /** Ids of one queue object sort by the order they were given, so that tasks of one transaction run in it. */
  #nextId(): string {
    return `${this.#series}-${(this.#count++).toString(36).padStart(6, '0')}`
  }

  /** Offers to run tasks of the names that have a handler. Resolves when the dispatcher can see it. */
  async worker(handlers: Handlers<M>, options: WorkerOptions = {}): Promise<TaskWorker> {
    this.#checkOpen()
    const byName = new Map<string, Handler<unknown, unknown>>()
    for (const [name, handler] of Object.entries(handlers)) {
      if (typeof handler !== 'function') {
        throw new KeeperError('BadArguments', `the handler of ${name} must be a function`, { path: 'handlers' })
      }
      byName.set(checkTaskName('handlers', name), handler as Handler<unknown, unknown>)
    }
    const record = {
      slots: checkInteger('slots', options.slots ?? 1, 1, SLOTS_MAX),
      labels: checkLabels('labels', options.labels ?? {}),
      names: [...byName.keys()],
    }
    options.signal?.throwIfAborted()
    const worker = await TaskWorker.open(this.#world, this.#paths, record, {
      handlerOf: (name) => byName.get(name) ?? null,
      valueBytesMax: this.#valueBytesMax,
    })
    this.#workers.add(worker)
    const forget = (): void => {
      this.#workers.delete(worker)
    }
    worker.ended.then(forget, forget)
    const stop = (): void => {
      worker.close({ timeout: 0 }).catch(forget)
    }
    if (options.signal?.aborted) stop()
    else options.signal?.addEventListener('abort', stop, { once: true })
    return worker
  }

  /** The task of that id, whether it exists or not. */
  handle<K extends keyof M & string>(_name: K, id: string): TaskHandle<M[K]['out']> {
    return new StoredTask(this.#world, this.#paths, checkWord('id', id))
  }

  /** As the dispatcher published it, at most about a second ago; ended tasks as far as they are kept. */
  async stats(): Promise<QueueStats> {
    const { client } = this.#world
    const node = await untilAnswered(client, () => dataOrNull(client, this.#paths.stat))
    if (node?.data == null || node.data.length === 0) return NO_STATS
    return { ...NO_STATS, ...(JSON.parse(fromUtf8(node.data)) as QueueStats) }
  }

  /** Closes its workers: what runs may end. Later calls reject with Closed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#workers].map((worker) => worker.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checkOpen(): void {
    if (this.#closed) throw new KeeperError('Closed', `the queue ${this.name} was closed`)
  }
}
