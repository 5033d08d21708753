import type { WatchNotice } from '../client/api.ts'
import { childrenOf } from '../recipes/place.ts'
import { sessionIsOver, untilAnswered } from '../recipes/retry.ts'
import { isWord } from './names.ts'
import { QueueDispatcher } from './queue-dispatcher.ts'
import { QUEUES_ROOT } from './queue-paths.ts'
import type { TaskWorld } from './task-world.ts'

/** Ended tasks that a queue keeps. */
export const KEEP_DEFAULT = 1000

export interface DispatcherOptions {
  /** How many ended tasks each queue keeps; older ones are deleted, but none within ten seconds of its end. Default 1000. */
  readonly keep?: number
  /** Put off whoever dispatches now: for the Zab leader, which has every commit first. Default false: wait. */
  readonly depose?: boolean
  /** Told of what should not happen (no permission, say); the dispatching goes on. */
  readonly onProblem?: (problem: unknown) => void
}

/**
 * Hands tasks to workers, for all queues. An ordinary client with a session of its own; several may run, one at a time
 * dispatches a queue, and the fence makes two at once a waste, never a fault.
 */
export class Dispatcher {
  readonly #world: TaskWorld
  readonly #options: Required<DispatcherOptions>
  readonly #queues = new Map<string, QueueDispatcher>()
  readonly #stop = new AbortController()
  #running: Promise<void> | null = null
  #end: () => void = () => {}
  /** Resolves when it dispatches no more: after `stop`, or because its session is over (then start another one with another client). */
  readonly ended: Promise<void>

  constructor(world: TaskWorld, options: DispatcherOptions = {}) {
    this.#world = world
    this.#options = {
      keep: options.keep ?? KEEP_DEFAULT,
      depose: options.depose ?? false,
      onProblem: options.onProblem ?? (() => {}),
    }
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Resolves when it watches. The dispatching ends by `stop`, or with the session. */
  async start(): Promise<void> {
    const { signal } = this.#stop
    const { client } = this.#world
    const notices = await untilAnswered(client, () => client.watch(QUEUES_ROOT, { recursive: true, signal }), signal)
    this.#running ??= this.#listen(notices)
    await this.#discover()
  }

  /** Idempotent. Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop()))
    await this.#running
    this.#end()
  }

  async #listen(notices: AsyncIterable<WatchNotice>): Promise<void> {
    try {
      for await (const notice of notices) {
        if (notice.type === 'resync') await this.#discover()
        if (notice.type === 'resync' || notice.type === 'lost' || notice.type === 'resumed') {
          for (const queue of this.#queues.values()) queue.notice(notice)
          continue
        }
        const name = notice.path.split('/')[QUEUES_ROOT.split('/').length]
        if (name !== undefined) this.#queue(name)?.notice(notice)
      }
    } catch (error) {
      if (!sessionIsOver(error) && !this.#stop.signal.aborted) this.#options.onProblem(error)
    }
    if (!this.#stop.signal.aborted) this.stop().catch(this.#options.onProblem)
  }

  async #discover(): Promise<void> {
    for (const name of await childrenOf(this.#world.client, QUEUES_ROOT)) this.#queue(name)
  }

  #queue(name: string): QueueDispatcher | null {
    if (!isWord(name) || this.#stop.signal.aborted) return null
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new QueueDispatcher(this.#world, name, this.#options)
      this.#queues.set(name, queue)
      queue.start()
    }
    return queue
  }
}
