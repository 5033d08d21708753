import { KeeperError } from '../base/errors.ts'
import { checkObject, checkOptions, refuse } from '../client/arguments.ts'
import { checkWait } from '../recipes/arguments.ts'
import { nonce } from '../recipes/world.ts'
import { inOrder, orderOf } from './bulk.ts'
import { checkDedup } from './deduplication.ts'
import { submitGuarded } from './guarded-submit.ts'
import { checkInteger, checkLabels, checkTaskName, checkWord } from './names.ts'
import { newRecord } from './new-task.ts'
import { QueueAdmin } from './queue-admin.ts'
import { QueuePaths } from './queue-paths.ts'
import { QueueRoom } from './queue-room.ts'
import type { MissedTimes, ScheduleTimes } from './schedule.ts'
import { putSchedule } from './schedules.ts'
import { between, checkInput, checkSchemas, type TaskSchemas } from './schemas.ts'
import { Submitter } from './submitter.ts'
import { StoredTask } from './task-handle.ts'
import type { TaskRecord } from './task-record.ts'
import type { AddOptions, Handler, Handlers, TaskHandle, TaskItem, TaskMap, WorkerOptions } from './task-types.ts'
import { TaskWorker } from './task-worker.ts'
import type { TaskWorld } from './task-world.ts'
import { toValue, VALUE_BYTES_DEFAULT, VALUE_BYTES_MAX } from './value.ts'
import { type HandlerModule, WorkerPool } from './worker-pool.ts'
import { SLOTS_MAX } from './worker-record.ts'

export interface TaskQueueOptions<M extends TaskMap<M>> {
  /** The task names that may be added; any, if left out. */
  readonly names?: readonly string[]
  /** An input's or output's bytes, at most 262 144. Default 32 768. */
  readonly valueBytesMax?: number
  /** Checks inputs and outputs, on this page's side. Default: none. */
  readonly schemas?: TaskSchemas<M>
}

/**
 * A queue of tasks, shared by all pages of the ensemble. `M` says what each task takes and gives. A task that was added is
 * never lost: it ends done, failed or cancelled. It may run more than once, and completes once.
 */
export class TaskQueue<M extends TaskMap<M>> extends QueueAdmin implements AsyncDisposable {
  readonly #world: TaskWorld
  readonly #paths: QueuePaths
  readonly #names: ReadonlySet<string> | null
  readonly #valueBytesMax: number
  readonly #schemas: ReturnType<typeof checkSchemas>
  readonly #submitter: Submitter
  readonly #room: QueueRoom
  readonly #workers = new Set<TaskWorker>()
  readonly #series: string
  #count = 0
  #closed = false

  /** BadArguments names what is wrong. Nothing is made in the ensemble before the first task or worker. */
  constructor(world: TaskWorld, name: string, options: TaskQueueOptions<M> = {}) {
    const paths = new QueuePaths(checkWord('name', name))
    super(world, paths)
    this.#world = world
    this.#paths = paths
    this.#room = new QueueRoom(world, paths)
    this.#names = checkOptions(options).names === undefined ? null : new Set(options.names)
    this.#valueBytesMax = checkInteger(
      'valueBytesMax',
      options.valueBytesMax ?? VALUE_BYTES_DEFAULT,
      1,
      VALUE_BYTES_MAX,
    )
    this.#schemas = checkSchemas(options.schemas)
    this.#submitter = new Submitter(world.client, this.#paths)
    this.#series = nonce(world.random)
  }

  /**
   * Resolves when a quorum has the task. To add an id that is there already is to get its handle. BadArguments, TooLarge
   * name the argument; NodeExists: the id belongs to a task of another name, or a duplicate was to be refused; NoNode: a task
   * of `after` is not there; QueueFullError.
   */
  async add<K extends keyof M & string>(
    name: K,
    input: M[K]['in'],
    options: AddOptions = {},
  ): Promise<TaskHandle<M[K]['out']>> {
    this.#checkOpen()
    const record = this.#record(name, input, checkOptions(options))
    const id = options.id === undefined ? this.#nextId() : checkWord('id', options.id)
    const joinsId = checkOnDuplicate(options.onDuplicate) === 'join'
    const dedup = options.dedup === undefined ? null : checkDedup(options)
    if (record.after.includes(id)) {
      throw new KeeperError('BadArguments', `${id} would wait for itself: a cycle`, { path: 'after' })
    }
    await checkInput(this.#schemas, name, input)
    await this.#room.enter()
    if (record.after.length === 0 && dedup === null && joinsId) {
      await this.#submitter.submit(id, record)
      return this.handle(name, id)
    }
    return this.handle(name, await submitGuarded(this.#world, this.#paths, { id, record, dedup, joinsId }))
  }

  #record(name: string, input: unknown, options: AddOptions): TaskRecord {
    checkTaskName('name', name)
    if (this.#names !== null && !this.#names.has(name)) {
      throw new KeeperError('BadArguments', `this queue has no task ${name}`, { path: 'name' })
    }
    return newRecord(name, toValue('input', input, this.#valueBytesMax), nonce(this.#world.random), options)
  }

  /**
   * Adds many in few transactions. They may wait for one another by `id` and `after`; a cycle is refused (BadArguments)
   * before anything is added. Rejects with the first refusal; the others may have been added.
   */
  async addAll(items: readonly TaskItem<M>[]): Promise<TaskHandle<M[keyof M & string]['out']>[]> {
    const before = orderOf(items)
    const added: Promise<TaskHandle<M[keyof M & string]['out']>>[] = []
    const begin = (i: number): Promise<TaskHandle<M[keyof M & string]['out']>> => {
      const { name, input, options } = items[i] as TaskItem<M>
      const first = before[i] ?? []
      if (first.length === 0) return this.add(name, input, options)
      return Promise.all(first.map((one) => added[one])).then(() => this.add(name, input, options))
    }
    for (const i of inOrder(before)) {
      const adding = begin(i)
      // Whoever waits for all is told of the first; nobody waits for each.
      adding.catch(() => {})
      added[i] = adding
    }
    return Promise.all(added)
  }

  /**
   * Adds a task at each of these times from now on, wherever a page is open; replaces the schedule of that id. Each time adds
   * one task, with the id `<id>@<time>`. `missed`: times that passed while nobody dispatched give no task (`skip`), one for
   * the latest (`once`, the default), or one each (`all`). BadArguments names what is wrong.
   */
  async schedule<K extends keyof M & string>(
    id: string,
    times: ScheduleTimes,
    task: {
      readonly name: K
      readonly input: M[K]['in']
      readonly options?: Omit<AddOptions, 'id' | 'runAt' | 'dedup' | 'after' | 'onDuplicate'>
      readonly missed?: MissedTimes
    },
  ): Promise<void> {
    this.#checkOpen()
    checkObject(task, 'task')
    const template = this.#record(task.name, task.input, checkOptions(task.options ?? {}))
    await checkInput(this.#schemas, task.name, task.input)
    await putSchedule(this.#world, this.#paths, id, times, task.missed, template)
  }

  /** Ids of one queue object sort by the order they were given, so that tasks of one transaction run in it. */
  #nextId(): string {
    return `${this.#series}-${(this.#count++).toString(36).padStart(6, '0')}`
  }

  /**
   * Offers to run tasks of the names that have a handler, in this page or in Workers of a module that calls `serveTasks` (one
   * per slot; a run that ignores its signal is ended with its Worker). Resolves when the dispatcher can see it. WorkerFailed.
   */
  async worker(handlers: Handlers<M> | HandlerModule, options: WorkerOptions = {}): Promise<TaskWorker> {
    this.#checkOpen()
    checkWait(options).signal?.throwIfAborted()
    if (handlers === null || (typeof handlers !== 'object' && typeof handlers !== 'function'))
      throw refuse('handlers', 'must be functions by name, or a module')
    if (!(handlers instanceof URL) && typeof handlers !== 'function') return this.#offer(inPage(handlers), options)
    const pool = await WorkerPool.open(handlers, this.#world.clock)
    try {
      const worker = await this.#offer(new Map(pool.names.map((name) => [name, pool.handler(name)])), options)
      const close = (): void => pool.close()
      worker.ended.then(close, close)
      return worker
    } catch (error) {
      pool.close()
      throw error
    }
  }

  async #offer(byName: ReadonlyMap<string, Handler<unknown, unknown>>, options: WorkerOptions): Promise<TaskWorker> {
    const record = {
      slots: checkInteger('slots', options.slots ?? 1, 1, SLOTS_MAX),
      labels: checkLabels('labels', options.labels ?? {}),
      names: [...byName.keys()],
    }
    const { whenHidden = 'keep' } = options
    if (whenHidden !== 'keep' && whenHidden !== 'pause' && whenHidden !== 'return') {
      throw new KeeperError('BadArguments', 'whenHidden must be keep, pause or return', { path: 'whenHidden' })
    }
    const worker = await TaskWorker.open(this.#world, this.#paths, record, {
      handlerOf: (name) => {
        const handler = byName.get(name)
        return handler === undefined ? null : between(this.#schemas, name, handler)
      },
      valueBytesMax: this.#valueBytesMax,
      whenHidden,
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

function inPage(handlers: object): ReadonlyMap<string, Handler<unknown, unknown>> {
  const byName = new Map<string, Handler<unknown, unknown>>()
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') {
      throw new KeeperError('BadArguments', `the handler of ${name} must be a function`, { path: 'handlers' })
    }
    byName.set(checkTaskName('handlers', name), handler as Handler<unknown, unknown>)
  }
  return byName
}

function checkOnDuplicate(value: unknown): 'join' | 'reject' {
  if (value === undefined || value === 'join' || value === 'reject') return value ?? 'join'
  throw new KeeperError('BadArguments', 'onDuplicate must be join or reject', { path: 'onDuplicate' })
}
