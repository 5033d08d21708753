import { KeeperError } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import { sessionToHex } from '../base/life-locks.ts'
import { checkCallback, checkLossPolicy, checkWait } from './arguments.ts'
import { sleep, waitSignal } from './deadline.ts'
import { type Hold, LockLostError, type LossPolicy, openHold } from './hold.ts'
import { type HoldSet, holdSet } from './hold-set.ts'
import { dataOrNull, untilGone } from './node-change.ts'
import { fromNodeName, toNodeName } from './node-name.ts'
import {
  childrenOf,
  holders,
  type LockMode,
  leavePlace,
  sortPlaces,
  standing,
  takePlace,
  untilServed,
} from './place.ts'
import { hasCode, untilAnswered } from './retry.ts'
import { asksBack, stealPlace } from './steal.ts'
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
  /** Take it from whoever holds it (their `signal` aborts, their guard is refused), before all who wait. Only exclusive, and not with `ifAvailable`. */
  readonly steal?: boolean
}

export interface RevokeOptions {
  /** Told to the holders, as the reason of `hold.asked`. */
  readonly reason?: string
  /** Milliseconds that they have to finish and release; default 0. */
  readonly grace?: number
  readonly signal?: AbortSignal
}

export interface LockInfo {
  readonly name: string
  readonly mode: LockMode
  readonly session: SessionId
  /** The session in hexadecimal: what `navigator.locks.query` calls so. */
  readonly clientId: string
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

  /**
   * Holds the lock for as long as the callback's promise is pending. Rejects as `acquire` does, or as the callback; with the signal's reason when that
   * ends the waiting, and with an AbortError when the lock is stolen or revoked while the callback runs, as `navigator.locks` does.
   */
  request<T>(name: string, callback: (hold: Hold) => T | PromiseLike<T>): Promise<T>
  request<T>(
    name: string,
    options: LockOptions & { readonly ifAvailable: true },
    callback: (hold: Hold | null) => T | PromiseLike<T>,
  ): Promise<T>
  request<T>(
    name: string,
    options: LockOptions & { readonly ifAvailable?: false },
    callback: (hold: Hold) => T | PromiseLike<T>,
  ): Promise<T>
  async request<T>(
    name: string,
    ...rest:
      | readonly [(hold: Hold) => T | PromiseLike<T>]
      | readonly [LockOptions, ((hold: Hold) => T | PromiseLike<T>) | ((hold: Hold | null) => T | PromiseLike<T>)]
  ): Promise<T> {
    const [options, callback] = rest.length === 1 ? [{}, rest[0]] : rest
    checkCallback(callback)
    const hold = await this.#acquire(name, options).catch((error: unknown) => {
      throw hasCode(error, 'Aborted') && options.signal?.aborted ? options.signal.reason : error
    })
    // Only the overload with ifAvailable can bring null here, and its callback takes null.
    if (hold === null) return await (callback as (hold: Hold | null) => T | PromiseLike<T>)(null)
    const over = new AbortController()
    const taken = new Promise<never>((_, reject) => {
      const look = (): void => {
        const { reason } = hold.signal
        if (reason instanceof LockLostError && reason.loss === 'revoked')
          reject(new DOMException(reason.message, 'AbortError'))
      }
      look()
      hold.signal.addEventListener('abort', look, { signal: over.signal })
    })
    try {
      return await Promise.race([(async () => callback(hold))(), taken])
    } finally {
      over.abort()
      await hold.release()
    }
  }

  /**
   * Takes several locks, in one order for all pages, so that two of them never wait for each other. All or none: what was taken is released when one cannot
   * be had. `timeout` is for all together. Rejects as `acquire` does.
   */
  async acquireAll(names: readonly string[], options: AcquireOptions = {}): Promise<HoldSet> {
    if (!Array.isArray(names) || names.length === 0) {
      throw new KeeperError('BadArguments', 'names must be a list of names', { path: 'names' })
    }
    using wait = waitSignal(this.#world.clock, options)
    const { timeout: _, ...each } = options
    const holds: Hold[] = []
    try {
      for (const name of [...new Set(names)].sort()) {
        holds.push(await this.acquire(name, { ...each, signal: wait.signal }))
      }
      return holdSet(holds)
    } catch (error) {
      // Behind the caller's back: the time is up, perhaps because there is no connection.
      for (const hold of holds) hold.release().catch(() => {})
      throw error
    }
  }

  /** Asks those who hold it for the lock, gives them `grace`, and takes it away: their guards are refused from then on. Resolves when they hold it no more. */
  async revoke(name: string, options: RevokeOptions = {}): Promise<void> {
    const { client, clock } = this.#world
    const line = `${LOCKS_ROOT}/${toNodeName('name', name)}`
    const { grace: patience = 0, signal: given, reason = 'revoked' } = checkWait(options)
    if (!(patience >= 0)) {
      throw new KeeperError('BadArguments', 'grace must be a number of milliseconds, 0 or more', { path: 'grace' })
    }
    using wait = waitSignal(clock, { signal: given })
    const { signal } = wait
    const places = sortPlaces(await childrenOf(client, line, signal))
    const paths = places.slice(0, holders(places)).map((place) => `${line}/${place.name}`)
    const asked = paths.map(async (path) => {
      if (!(await asksBack(client, path, reason, signal))) return
      const stop = new AbortController()
      const late = sleep(clock, patience, AbortSignal.any([stop.signal, signal]))
      await Promise.race([late, untilGone(client, path, stop.signal)]).finally(() => stop.abort())
      await leavePlace(client, path, signal)
    })
    await Promise.all(asked)
  }

  /** Waits for the lock. Rejects with Timeout, Aborted, SessionExpired, Closed, BadArguments; NoNode if the place in line was removed. */
  async acquire(name: string, options: AcquireOptions = {}): Promise<Hold> {
    const hold = await this.#acquire(name, { ...checkWait(options), ifAvailable: false })
    if (hold === null) throw new KeeperError('RuntimeInconsistency')
    return hold
  }

  async #acquire(name: string, options: LockOptions): Promise<Hold | null> {
    const { client, clock, random } = this.#world
    const { mode = 'exclusive', lossPolicy } = checkWait(options)
    if (mode !== 'exclusive' && mode !== 'shared') {
      throw new KeeperError('BadArguments', 'mode must be "exclusive" or "shared"', { path: 'mode' })
    }
    const steal = options.steal === true
    if (steal && (mode === 'shared' || options.ifAvailable === true)) {
      throw new KeeperError('BadArguments', 'steal goes with an exclusive lock, and not with ifAvailable', {
        path: 'steal',
      })
    }
    const policy = checkLossPolicy(lossPolicy)
    const line = `${LOCKS_ROOT}/${toNodeName('name', name)}`
    using wait = waitSignal(clock, options)
    wait.signal.throwIfAborted()
    const path = steal
      ? await stealPlace(client, random, line, wait.signal)
      : await takePlace(client, random, line, mode, null, wait.signal)
    try {
      const served =
        options.ifAvailable === true
          ? await standing(client, path, wait.signal)
          : { before: null, zxid: await untilServed(client, path, wait.signal) }
      if (served.before !== null) {
        await leavePlace(client, path, wait.signal)
        return null
      }
      return await openHold(client, name, mode, path, policy, wait.signal, served.zxid)
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
        const session = stat.ephemeralOwner
        const info = {
          name: fromNodeName(line),
          mode: place.mode,
          session,
          clientId: sessionToHex(session),
          since: stat.ctime,
        }
        if (i < holding) held.push(info)
        else pending.push(info)
      })
    }
    return { held, pending }
  }
}
