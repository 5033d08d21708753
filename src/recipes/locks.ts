import { KeeperError } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import { waitSignal } from './deadline.ts'
import { type Hold, type LossPolicy, openHold } from './hold.ts'
import { dataOrNull } from './node-change.ts'
import { fromNodeName, toNodeName } from './node-name.ts'
import {
  childrenOf,
  holders,
  type LockMode,
  leavePlace,
  placeBefore,
  sortPlaces,
  takePlace,
  untilServed,
} from './place.ts'
import { untilAnswered } from './retry.ts'
import type { World } from './world.ts'

/** Every lock is a line of nodes below this one. */
export const LOCKS_ROOT = '/tk/locks'

export interface AcquireOptions {
  /** `shared` holders hold together. Served in the order of arrival, so neither kind starves. Default `exclusive`. */
  readonly mode?: LockMode
  /** Milliseconds for the whole wait; then it rejects with `Timeout`. */
  readonly timeout?: number
  /** Ends the waiting (`Aborted`); it does not end a hold. */
  readonly signal?: AbortSignal
  /** When the hold's signal aborts. Default `suspended`. */
  readonly lossPolicy?: LossPolicy
}

export interface LockOptions extends AcquireOptions {
  /** Do not wait: the callback gets null if the lock is not free. */
  readonly ifAvailable?: boolean
}

export interface LockInfo {
  readonly name: string
  readonly mode: LockMode
  readonly session: SessionId
  /** Milliseconds, the leader's clock. */
  readonly since: number
}

/**
 * Locks by name, as `navigator.locks`, but over the ensemble. Not reentrant. A hold protects by its `guard()` and `token`;
 * its `signal` only tells this page soon. ZooKeeper: the lock and read-write lock recipes.
 */
export class Locks {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Holds the lock for as long as the callback's promise is pending. Rejects as `acquire` does, or as the callback. */
  request<T>(name: string, callback: (hold: Hold) => T | PromiseLike<T>): Promise<T>
  request<T>(
    name: string,
    options: LockOptions & { readonly ifAvailable: true },
    callback: (hold: Hold | null) => T | PromiseLike<T>,
  ): Promise<T>
  request<T>(name: string, options: AcquireOptions, callback: (hold: Hold) => T | PromiseLike<T>): Promise<T>
  async request<T>(
    name: string,
    ...rest:
      | readonly [(hold: Hold) => T | PromiseLike<T>]
      | readonly [LockOptions, ((hold: Hold) => T | PromiseLike<T>) | ((hold: Hold | null) => T | PromiseLike<T>)]
  ): Promise<T> {
    const [options, callback] = rest.length === 1 ? [{}, rest[0]] : rest
    if (typeof callback !== 'function') {
      throw new KeeperError('BadArguments', 'the callback must be a function', { path: 'callback' })
    }
    const hold = await this.#acquire(name, options)
    // Only the overload with ifAvailable can bring null here, and its callback takes null.
    if (hold === null) return (callback as (hold: Hold | null) => T | PromiseLike<T>)(null)
    try {
      return await callback(hold)
    } finally {
      await hold.release()
    }
  }

  /** Waits for the lock. Rejects with Timeout, Aborted, SessionExpired, Closed, BadArguments; NoNode if the place in line was removed. */
  async acquire(name: string, options: AcquireOptions = {}): Promise<Hold> {
    const hold = await this.#acquire(name, { ...options, ifAvailable: false })
    if (hold === null) throw new KeeperError('RuntimeInconsistency')
    return hold
  }

  async #acquire(name: string, options: LockOptions): Promise<Hold | null> {
    const { client, clock, random } = this.#world
    const mode = options.mode ?? 'exclusive'
    if (mode !== 'exclusive' && mode !== 'shared') {
      throw new KeeperError('BadArguments', 'mode must be "exclusive" or "shared"', { path: 'mode' })
    }
    const line = `${LOCKS_ROOT}/${toNodeName('name', name)}`
    using wait = waitSignal(clock, options)
    wait.signal.throwIfAborted()
    const path = await takePlace(client, random, line, mode, null)
    try {
      if (options.ifAvailable === true) {
        if ((await placeBefore(client, path)) !== null) {
          await leavePlace(client, path)
          return null
        }
      } else await untilServed(client, path, wait.signal)
      return await openHold(client, name, mode, path, options.lossPolicy ?? 'suspended')
    } catch (error) {
      // The place is left behind the caller's back: its wait must end now even if there is no connection.
      leavePlace(client, path).catch(() => {})
      throw error
    }
  }

  /** Who holds and who waits, of one lock or of all, in the order of the lines. A picture of one moment, already old. */
  async query(name?: string): Promise<{ readonly held: readonly LockInfo[]; readonly pending: readonly LockInfo[] }> {
    const { client } = this.#world
    const lines = name === undefined ? await childrenOf(client, LOCKS_ROOT) : [toNodeName('name', name)]
    const held: LockInfo[] = []
    const pending: LockInfo[] = []
    for (const line of lines) {
      const places = sortPlaces(await childrenOf(client, `${LOCKS_ROOT}/${line}`))
      const holding = holders(places)
      const nodes = await Promise.all(
        places.map((place) => untilAnswered(client, () => dataOrNull(client, `${LOCKS_ROOT}/${line}/${place.name}`))),
      )
      places.forEach((place, i) => {
        const stat = nodes[i]?.stat
        if (stat === undefined) return
        const info = { name: fromNodeName(line), mode: place.mode, session: stat.ephemeralOwner, since: stat.ctime }
        if (i < holding) held.push(info)
        else pending.push(info)
      })
    }
    return { held, pending }
  }
}
