import { fromUtf8 } from '../base/bytes.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { untilAnswered } from '../recipes/retry.ts'
import type { QueueStats } from './dispatcher-state.ts'
import { readConfig } from './queue-config.ts'
import type { QueuePaths } from './queue-paths.ts'
import { QueueFullError } from './task-error.ts'
import type { TaskWorld } from './task-world.ts'

export const NO_STATS: QueueStats = {
  ...{ waiting: 0, delayed: 0, blocked: 0, running: 0, done: 0, failed: 0, cancelled: 0 },
  ...{ workers: 0, slots: 0, free: 0 },
}

/** As the dispatcher published them; `upTo` is the zxid of the poke that they know of. */
export async function readStats(world: TaskWorld, queue: QueuePaths): Promise<QueueStats & { readonly upTo: number }> {
  const { client } = world
  const node = await untilAnswered(client, () => dataOrNull(client, queue.stat))
  if (node?.data == null || node.data.length === 0) return { ...NO_STATS, upTo: 0 }
  return { ...NO_STATS, upTo: 0, ...(JSON.parse(fromUtf8(node.data)) as QueueStats) }
}

/** Milliseconds for which a look counts. */
const LOOK_EVERY = 500

/** Whether more may be added: by what the dispatcher published last, and what was added here since. */
export class QueueRoom {
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  #look: Promise<void> | null = null
  #lookedAt = 0
  #max = Number.POSITIVE_INFINITY
  #pending = 0
  #added = 0
  /** The version of the statistics last seen. */
  #published: number | undefined

  constructor(world: TaskWorld, queue: QueuePaths) {
    this.#world = world
    this.#queue = queue
  }

  /** Rejects with QueueFullError. */
  async enter(): Promise<void> {
    const { clock } = this.#world
    if (this.#look === null || clock.now() - this.#lookedAt > LOOK_EVERY) {
      this.#lookedAt = clock.now()
      this.#look = this.#read()
      this.#look.catch(() => {
        this.#look = null
      })
    }
    await this.#look
    const pending = this.#pending + this.#added
    if (pending >= this.#max) throw new QueueFullError(this.#queue.name, pending, this.#max)
    this.#added++
  }

  async #read(): Promise<void> {
    const { client } = this.#world
    const node = await untilAnswered(client, () => dataOrNull(client, this.#queue.root))
    const { maxPending } = readConfig(node?.data ?? null)
    this.#max = maxPending ?? Number.POSITIVE_INFINITY
    if (maxPending === undefined) return
    const stat = await untilAnswered(client, () => client.exists(this.#queue.stat))
    const { waiting, delayed, blocked } = await readStats(this.#world, this.#queue)
    this.#pending = waiting + delayed + blocked
    // Until something new is published, what was added here is not in it.
    if (stat?.version !== this.#published) this.#added = 0
    this.#published = stat?.version
  }
}
