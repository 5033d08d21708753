import type { Zxid } from '../base/zxid.ts'
import type { Op, WatchEvent } from '../client/api.ts'
import { checkCallback, checkLossPolicy, checkWait } from './arguments.ts'
import { waitSignal } from './deadline.ts'
import { type FencingToken, type LossPolicy, openHold } from './hold.ts'
import { textOf } from './json.ts'
import { dataOrNull, untilChange } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { childrenOf, leavePlace, sortPlaces, takePlace, untilServed } from './place.ts'
import { hasCode, sessionIsOver, untilAnswered } from './retry.ts'
import type { World } from './world.ts'

export const ELECTIONS_ROOT = '/tk/elections'

export interface Leader {
  /** What the leader calls itself. */
  readonly id: string
  /** Grows with every leader of this election. */
  readonly epoch: Zxid
}

/** Leadership as a thing that can end, never a flag. */
export interface Leadership extends Leader {
  readonly token: FencingToken
  /** Aborts, with a LockLostError as reason, once another may lead. */
  readonly signal: AbortSignal
  /** Put into a `multi`: the whole is refused (NoNode) once another may lead. */
  guard(): Op
  /** Gives way to the next candidate. */
  resign(): Promise<void>
}

export interface LeadOptions {
  /** Stand again after each term until `signal` aborts or the session ends. Default false. */
  readonly rejoin?: boolean
  /** Ends the candidacy, and the term if there is one. */
  readonly signal?: AbortSignal
  readonly lossPolicy?: LossPolicy
}

/** One election. ZooKeeper: the leader election recipe; Curator: LeaderSelector. */
export class Election {
  readonly #world: World
  readonly #id: string
  readonly #line: string

  constructor(world: World, name: string, id: string) {
    this.#world = world
    this.#id = id
    this.#line = `${ELECTIONS_ROOT}/${toNodeName('name', name)}`
  }

  /**
   * Waits until this candidate leads, then runs `fn`; the term ends with its promise. Resolves with what `fn` gave (of
   * the last term, with `rejoin`). Rejects as `fn`, or with Aborted, SessionExpired, Closed. `fn` should end when its signal aborts.
   */
  async lead<T>(fn: (leadership: Leadership) => T | PromiseLike<T>, options: LeadOptions = {}): Promise<T> {
    checkCallback(fn)
    const policy = checkLossPolicy(checkWait(options).lossPolicy)
    for (;;) {
      let term: AbortSignal | null = null
      try {
        const result = await this.#term(
          (leadership) => {
            term = leadership.signal
            return fn(leadership)
          },
          policy,
          options.signal,
        )
        if (options.rejoin !== true || options.signal?.aborted) return result
      } catch (error) {
        // A term that was lost may end by the abort itself, and a place that somebody removed is no term; any other failure is the caller's.
        const lost = term === null ? hasCode(error, 'NoNode') : (term as AbortSignal).aborted
        if (options.rejoin !== true || !lost || options.signal?.aborted || sessionIsOver(error)) throw error
      }
    }
  }

  async #term<T>(
    fn: (leadership: Leadership) => T | PromiseLike<T>,
    policy: LossPolicy,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { client, clock, random } = this.#world
    using wait = waitSignal(clock, { signal })
    wait.signal.throwIfAborted()
    const path = await takePlace(client, random, this.#line, 'exclusive', this.#id, wait.signal)
    try {
      await untilServed(client, path, wait.signal)
      await using hold = await openHold(client, this.#id, 'exclusive', path, policy, wait.signal)
      wait.signal.throwIfAborted()
      const stop = (): void => {
        hold.release().catch(() => {})
      }
      wait.signal.addEventListener('abort', stop, { signal: hold.signal })
      return await fn({
        id: this.#id,
        epoch: hold.token.zxid,
        token: hold.token,
        signal: hold.signal,
        guard: hold.guard,
        resign: hold.release,
      })
    } catch (error) {
      leavePlace(client, path).catch(() => {})
      throw error
    }
  }

  /** Who leads as this replica sees it now, or null. */
  async leader(): Promise<Leader | null> {
    return (await this.#first())?.leader ?? null
  }

  /** The leader now, then each change (null: nobody leads). Changes faster than the reader are skipped. Ends by `break`, `signal`, or with the session (throws). */
  async *observe(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Leader | null, void, undefined> {
    const { signal } = checkWait(options)
    const { client } = this.#world
    let told: Zxid | null | undefined
    try {
      while (signal?.aborted !== true) {
        const first = await this.#first(signal)
        const epoch = first?.leader.epoch ?? null
        if (told !== epoch) yield first?.leader ?? null
        told = epoch
        // Only the leader's own node is watched where there is one, so candidates that come and go wake nobody.
        const arm = async (watch: (event: WatchEvent) => void): Promise<boolean> =>
          first === null
            ? (await this.#watchLine(watch)) === 0
            : (await dataOrNull(client, first.path, { watch })) !== null
        await untilChange(client, arm, signal)
      }
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  }

  async #watchLine(watch: (event: WatchEvent) => void): Promise<number> {
    const { client } = this.#world
    await ensureNode(client, this.#line, 'container')
    return sortPlaces((await client.getChildren(this.#line, { watch })).children).length
  }

  async #first(signal?: AbortSignal): Promise<{ readonly path: string; readonly leader: Leader } | null> {
    const { client } = this.#world
    for (;;) {
      const first = sortPlaces(await childrenOf(client, this.#line, signal))[0]
      if (first === undefined) return null
      const path = `${this.#line}/${first.name}`
      const node = await untilAnswered(client, (call) => dataOrNull(client, path, call), signal)
      if (node !== null) return { path, leader: { id: textOf(node.data), epoch: node.stat.czxid } }
    }
  }
}
