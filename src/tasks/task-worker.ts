import type { WatchNotice } from '../client/api.ts'
import { checkOptions } from '../client/arguments.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, sessionIsOver, untilAnswered } from '../recipes/retry.ts'
import { checkNumber } from './names.ts'
import { leaseName, parseLease, type QueuePaths } from './queue-paths.ts'
import { type RunPlan, TaskRun } from './task-run.ts'
import type { TaskWorld } from './task-world.ts'
import { encodeWorker, type WorkerRecord } from './worker-record.ts'
import { registerWorker, unregisterWorker } from './worker-registration.ts'

export interface CloseOptions {
  /** Milliseconds that running handlers may still take; then they are aborted and their tasks given back. Default: no limit. */
  readonly timeout?: number
}

export type WhenHidden = 'keep' | 'pause' | 'return'

export interface WorkerPlan extends Omit<RunPlan, 'lease'> {
  readonly whenHidden: WhenHidden
}

/** Runs tasks of one queue in this page. It ends by `close`, or with the session (its signals abort, `ended` rejects). */
export class TaskWorker implements AsyncDisposable {
  readonly id: string
  /** Resolves after `close`; rejects with SessionExpired, Closed, or what made it stop. */
  readonly ended: Promise<void>
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  readonly #record: WorkerRecord
  readonly #plan: WorkerPlan
  #offered: number
  #announcing: Promise<void> = Promise.resolve()
  readonly #runs = new Map<string, { readonly run: TaskRun; readonly finished: Promise<void> }>()
  readonly #stop = new AbortController()
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #closing: Promise<void> | null = null
  #givingBack = false

  private constructor(world: TaskWorld, queue: QueuePaths, wid: string, record: WorkerRecord, plan: WorkerPlan) {
    this.id = wid
    this.#world = world
    this.#queue = queue
    this.#record = record
    this.#plan = plan
    this.#offered = record.slots
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever does not ask how it ended must not be told by an unhandled rejection.
    this.ended.catch(() => {})
  }

  /** Resolves when the worker is registered and hears of its leases. */
  static async open(world: TaskWorld, queue: QueuePaths, record: WorkerRecord, plan: WorkerPlan): Promise<TaskWorker> {
    const { wid, notices, stop } = await registerWorker(world, queue, record)
    const worker = new TaskWorker(world, queue, wid, record, plan)
    worker.#stop.signal.addEventListener('abort', stop)
    void worker.#listen(notices)
    await worker.#lookAround()
    world.page?.onChange(() => worker.#pageChanged(), { signal: worker.#stop.signal })
    worker.#pageChanged()
    return worker
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#runs.size
  }

  /** What it offers now: 0 while the page's state does not allow more. */
  get slots(): number {
    return this.#offered
  }

  #pageChanged(): void {
    const state = this.#world.page?.state ?? 'visible'
    if (this.#closing !== null) return
    const { whenHidden } = this.#plan
    const gives = state === 'frozen' || (state === 'hidden' && whenHidden === 'return')
    const offered = state === 'visible' || (state === 'hidden' && whenHidden === 'keep') ? this.#record.slots : 0
    this.#givingBack = gives
    const before = this.#offered
    this.#offered = offered
    if (before !== offered) void this.#announce()
    if (gives) for (const { run } of this.#runs.values()) run.end('Closing')
  }

  /** Writes what it offers; one after the other, so that the last one stands. */
  #announce(): Promise<void> {
    this.#announcing = this.#announcing.then(async () => {
      const { client } = this.#world
      const data = encodeWorker({ ...this.#record, slots: this.#offered })
      try {
        await untilAnswered(client, () => client.setData(this.#queue.worker(this.id), data))
      } catch (error) {
        if (!sessionIsOver(error) && !hasCode(error, 'NoNode')) this.#fail(error)
      }
    })
    return this.#announcing
  }

  /** Takes no more tasks, lets those that run end, and leaves. Idempotent; a later, shorter timeout counts too. */
  async close(options: CloseOptions = {}): Promise<void> {
    const { timeout } = checkOptions(options)
    if (timeout !== undefined) checkNumber('timeout', timeout, 0, Number.POSITIVE_INFINITY)
    if (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY && !this.#stop.signal.aborted) {
      const giveBack = (): void => {
        this.#givingBack = true
        for (const { run } of this.#runs.values()) run.end('Closing')
      }
      const cancel = this.#world.clock.after(timeout, giveBack)
      this.#stop.signal.addEventListener('abort', cancel)
    }
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { client } = this.#world
    try {
      // From here on no assignment can commit: each checks the version of this node.
      this.#offered = 0
      await this.#announce()
      await this.#lookAround()
      while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ finished }) => finished))
      await unregisterWorker(client, this.#queue, this.id)
    } catch (error) {
      if (!sessionIsOver(error) && !hasCode(error, 'NoNode')) {
        this.#fail(error)
        throw error
      }
    }
    this.#stop.abort()
    this.#resolve()
  }

  #fail(error: unknown): void {
    for (const { run } of this.#runs.values()) run.end('LeaseLost')
    this.#stop.abort()
    this.#reject(error)
  }

  async #listen(notices: AsyncIterable<WatchNotice>): Promise<void> {
    try {
      for await (const notice of notices) {
        if (notice.type === 'resync') await this.#lookAround()
        else if (notice.type !== 'lost' && notice.type !== 'resumed') this.#hear(notice.type, notice.path)
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error)
    }
  }

  #hear(type: WatchNotice['type'], path: string): void {
    const place = this.#queue.parse(path)
    if (place.kind !== 'lease' || place.wid !== this.id) return
    const known = this.#runs.get(leaseName(place.id, place.attempt))
    if (type === 'NodeCreated' && known === undefined) this.#begin(place)
    else if (type === 'NodeDeleted') known?.run.end('LeaseLost')
    else if (type === 'NodeDataChanged') known?.run.end('Cancelled')
  }

  /** Compares what runs with what the mailbox holds: nothing depends on having heard every change. */
  async #lookAround(): Promise<void> {
    const { client } = this.#world
    // A run that began while the answer was on its way says nothing about it.
    const before = [...this.#runs]
    const names = new Set(await childrenOf(client, this.#queue.mailbox(this.id)))
    for (const [name, { run }] of before) if (!names.has(name)) run.end('LeaseLost')
    for (const name of names) {
      const lease = parseLease(name)
      const known = this.#runs.get(name)
      if (lease !== null && known === undefined) this.#begin({ wid: this.id, ...lease })
      const path = `${this.#queue.mailbox(this.id)}/${name}`
      const node = await untilAnswered(client, () => dataOrNull(client, path))
      if (node?.data?.length) this.#runs.get(name)?.run.end('Cancelled')
    }
  }

  #begin(lease: { readonly wid: string; readonly id: string; readonly attempt: number }): void {
    const { wid, id, attempt } = lease
    const name = leaseName(id, attempt)
    const run = new TaskRun(this.#world, this.#queue, { ...this.#plan, lease: { wid, id, attempt } })
    if (this.#givingBack) run.end('Closing')
    const finished = run.run().then(
      () => {
        this.#runs.delete(name)
        // Nothing more is sent to a worker whose lease ran out until it says that it lives.
        if (run.wasTaken && !this.#stop.signal.aborted) void this.#announce()
      },
      (error: unknown) => {
        this.#runs.delete(name)
        if (!this.#stop.signal.aborted) this.#fail(error)
      },
    )
    this.#runs.set(name, { run, finished })
  }
}
