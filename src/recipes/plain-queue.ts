import { KeeperError } from '../base/errors.ts'
import type { Data } from '../client/api.ts'
import { checkData, checkOptions } from '../client/arguments.ts'
import { checkCallback } from './arguments.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import type { Hold } from './hold.ts'
import { Locks } from './locks.ts'
import { Marked } from './mark.ts'
import { dataOrNull, untilChange } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { childrenOf } from './place.ts'
import { hasCode, untilAnswered } from './retry.ts'
import { nonce, type World } from './world.ts'

export const QUEUES_ROOT = '/tk/queues'

/** `<priority>-<nonce>-<sequence>` */
const ITEM = /^([0-9]{3})-[0-9a-f]+-(-?[0-9]{10,11})$/

export interface QueueItem {
  readonly data: Uint8Array | null
  /** 0 goes first, 999 last. */
  readonly priority: number
}

/**
 * Bytes in, bytes out, first in first out within a priority. No retries, results or limits: for work there is the task queue. Takers stand in a
 * line, so an item wakes one of them. Curator: SimpleDistributedQueue, DistributedPriorityQueue; kazoo: Queue.
 */
export class PlainQueue {
  readonly #world: World
  readonly #name: string
  readonly #path: string
  readonly #marked: Marked

  constructor(world: World, name: string) {
    this.#world = world
    this.#marked = new Marked(world)
    this.#name = name
    this.#path = `${QUEUES_ROOT}/${toNodeName('name', name)}`
  }

  /** Puts it in once, whatever happens to the reply. */
  async put(data: Data, options: { readonly priority?: number } = {}): Promise<void> {
    const { client, random } = this.#world
    const { priority = 500 } = checkOptions(options)
    checkData(data)
    if (!Number.isInteger(priority) || priority < 0 || priority > 999) {
      throw new KeeperError('BadArguments', 'priority must be a whole number from 0 to 999', { path: 'priority' })
    }
    const prefix = `${String(priority).padStart(3, '0')}-${nonce(random)}-`
    const create = { op: 'create', path: `${this.#path}/${prefix}`, data, mode: 'persistentSequential' } as const
    for (;;) {
      try {
        await this.#marked.commit([create])
        return
      } catch (error) {
        if (!hasCode(error, 'NoNode')) throw error
      }
      await ensureNode(client, this.#path)
    }
  }

  /**
   * Takes the first item out and resolves with it: nobody else gets it, and if this page dies then, nobody does. Rejects with Timeout or
   * Aborted, and then has taken nothing.
   */
  take(options: WaitOptions = {}): Promise<QueueItem> {
    return this.#first(options, async (hold, path, item) =>
      (await this.#remove(hold, path)) ? { result: item } : null,
    )
  }

  /**
   * Calls `work` with the first item and takes it out when `work` has resolved; if it rejects, or this page dies, the item stays and is the next
   * taker's. One page works at a time. Resolves with what `work` gave; rejects as it does.
   */
  async process<T>(work: (item: QueueItem, hold: Hold) => PromiseLike<T> | T, options: WaitOptions = {}): Promise<T> {
    checkCallback(work, 'work')
    return this.#first(options, async (hold, path, item) => {
      const result = await work(item, hold)
      if (await this.#remove(hold, path)) return { result }
      throw new KeeperError('NoNode', 'the item was taken meanwhile: this page did not hold the queue any more', {
        path,
      })
    })
  }

  /** How many wait, as this replica sees it now. */
  async size(): Promise<number> {
    return (await childrenOf(this.#world.client, this.#path)).length
  }

  async #first<T>(
    options: WaitOptions,
    use: (hold: Hold, path: string, item: QueueItem) => Promise<{ readonly result: T } | null>,
  ): Promise<T> {
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    await using hold = await new Locks(this.#world).acquire(`queue:${this.#name}`, { signal: wait.signal })
    await ensureNode(client, this.#path, 'persistent', wait.signal)
    for (;;) {
      const path = await this.#untilItem(wait.signal)
      const node = await untilAnswered(client, (call) => dataOrNull(client, path, call), wait.signal)
      if (node === null) continue
      const priority = Number(ITEM.exec(path.slice(path.lastIndexOf('/') + 1))?.[1])
      const used = await use(hold, path, { data: node.data, priority })
      if (used !== null) return used.result
    }
  }

  /** The path of the first item, once there is one. */
  async #untilItem(signal: AbortSignal): Promise<string> {
    const { client } = this.#world
    for (;;) {
      let first: string | null = null
      await untilChange(
        client,
        async (watch) => {
          first = firstOf((await client.getChildren(this.#path, { watch })).children)
          return first === null
        },
        signal,
      )
      if (first !== null) return `${this.#path}/${first as string}`
    }
  }

  /**
   * False: it is gone already. What was taken is known even if the reply is lost and the hold with it, or the item would be nobody's; therefore this
   * alone cannot be aborted.
   */
  async #remove(hold: Hold, path: string): Promise<boolean> {
    try {
      await this.#marked.commit([hold.guard(), { op: 'delete', path }])
      return true
    } catch (error) {
      if (!hasCode(error, 'NoNode')) throw error
      if (error.results?.[1] !== 'NoNode') return false
      throw new KeeperError('NoNode', 'this page does not hold the queue any more', { path: hold.token.path })
    }
  }
}

function firstOf(names: readonly string[]): string | null {
  let best: string | null = null
  let key: readonly [number, number] = [0, 0]
  for (const name of names) {
    const found = ITEM.exec(name)
    if (found === null) continue
    const own = [Number(found[1]), Number(found[2])] as const
    if (best !== null && (own[0] > key[0] || (own[0] === key[0] && own[1] > key[1]))) continue
    best = name
    key = own
  }
  return best
}
