import { KeeperError } from '../base/errors.ts'
import { checkCallback, checkWait } from './arguments.ts'
import { fnv1a } from './hash.ts'
import type { Hold } from './hold.ts'
import { Locks } from './locks.ts'
import { Group } from './membership.ts'
import { hasCode, sessionIsOver } from './retry.ts'
import { nonce, type World } from './world.ts'

const PARTITIONS_ROOT = '/tk/partitions'

/** Who of the members has this item: each pair has a score, the highest wins. A member that comes or goes moves only its own items. (Rendezvous hashing.) */
export function ownerOf(item: string, members: readonly string[]): string | null {
  let best: string | null = null
  let most = -1
  for (const member of members) {
    const score = fnv1a(`${member}\0${item}`)
    if (score > most || (score === most && best !== null && member < best)) {
      best = member
      most = score
    }
  }
  return best
}

/** Someone's work on one item. */
export interface Share {
  readonly item: string
  /** The lock of this item: its `guard()` in a `multi` is refused when the item is another's. */
  readonly hold: Hold
  /** Aborts when the item is to be given away: end soon, for the next owner waits. */
  readonly signal: AbortSignal
}

export interface PartitionOptions {
  readonly signal?: AbortSignal
  /** What this page calls itself among the members; default random. */
  readonly id?: string
}

/**
 * Splits items among the pages that take part. Each item is worked on by one page at a time, by its lock; when pages come or go, only the items that
 * must move do, and nobody stops for the others. Curator and kazoo: SetPartitioner, which releases everything at every change.
 */
export class Partition {
  readonly #world: World
  readonly #name: string
  readonly #items: readonly string[]

  constructor(world: World, name: string, items: readonly string[]) {
    const texts = Array.isArray(items) && items.every((item) => typeof item === 'string')
    if (!texts || new Set(items).size !== items.length) {
      throw new KeeperError('BadArguments', 'items must be texts, all different', { path: 'items' })
    }
    this.#world = world
    this.#name = name
    this.#items = items
  }

  /**
   * Takes part until `signal` aborts. `work` is called for each item that this page gets; when it settles before its item is to be given away, it is not
   * called again until the item has moved and come back. Rejects as `work` does, then leaving, or with the end of the session.
   */
  async run(work: (share: Share) => PromiseLike<void> | void, options: PartitionOptions = {}): Promise<void> {
    checkCallback(work, 'work')
    checkWait(options)
    const { random } = this.#world
    const group = new Group(this.#world, this.#name, PARTITIONS_ROOT)
    const id = options.id ?? nonce(random)
    const stop = new AbortController()
    options.signal?.addEventListener('abort', () => stop.abort(), { signal: stop.signal })
    if (options.signal?.aborted) return
    await using _membership = await group.join(null, { id })
    const shares = new Map<string, { readonly give: AbortController; readonly done: Promise<void> }>()
    let members: readonly string[] = []
    let failure: { readonly error: unknown } | null = null
    /** Gives away what is another's and begins what is ours. Also after a share has ended: it may be ours again, or its lock was lost. */
    const review = (): void => {
      for (const item of stop.signal.aborted ? [] : this.#items) {
        const share = shares.get(item)
        if (ownerOf(item, members) !== id) share?.give.abort()
        else if (share === undefined) begin(item)
      }
    }
    const begin = (item: string): void => {
      const give = new AbortController()
      const done = this.#work(item, give.signal, work).then(
        () => {
          shares.delete(item)
          review()
        },
        (error: unknown) => {
          failure ??= { error }
          stop.abort()
        },
      )
      shares.set(item, { give, done })
    }
    try {
      for await (const now of group.watch({ signal: stop.signal })) {
        members = now.map((member) => member.id)
        review()
      }
    } finally {
      stop.abort()
      for (const { give } of shares.values()) give.abort()
      await Promise.all([...shares.values()].map(({ done }) => done))
    }
    if (failure !== null) throw (failure as { readonly error: unknown }).error
  }

  /** Until the item is given away, or its lock is lost. The lock stays ours until `work` has ended. */
  async #work(item: string, give: AbortSignal, work: (share: Share) => PromiseLike<void> | void): Promise<void> {
    let signal = give
    try {
      await using hold = await new Locks(this.#world).acquire(`${this.#name}/${item}`, { signal: give })
      signal = AbortSignal.any([give, hold.signal])
      await work({ item, hold, signal })
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      }
    } catch (error) {
      if (sessionIsOver(error)) throw error
      // Somebody removed its place in line; or it ended because it was told to.
      if (signal === give && hasCode(error, 'NoNode')) return
      const told =
        error === signal.reason || hasCode(error, 'Aborted') || (error as Partial<Error>)?.name === 'AbortError'
      if (!signal.aborted || !told) throw error
    }
  }
}
