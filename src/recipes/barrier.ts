import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Op } from '../client/api.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import { fromJson } from './json.ts'
import { dataOrNull, untilChange, untilGone } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { childrenOf, findPlace, forgetPlace, leavePlace } from './place.ts'
import { aborted, hasCode, settle, untilAnswered } from './retry.ts'
import { nonce, type World } from './world.ts'

export const BARRIERS_ROOT = '/tk/barriers'

/** Closed until somebody opens it. Closing again makes a new barrier: who waited for the old one goes on. Curator: DistributedBarrier. */
export class Barrier {
  readonly #world: World
  readonly #path: string

  constructor(world: World, name: string) {
    this.#world = world
    this.#path = `${BARRIERS_ROOT}/${toNodeName('name', name)}/gate`
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await ensureNode(this.#world.client, this.#path)
  }

  /** Idempotent. */
  async open(): Promise<void> {
    const { client } = this.#world
    try {
      await untilAnswered(client, () => client.delete(this.#path))
    } catch (error) {
      if (!hasCode(error, 'NoNode')) throw error
    }
  }

  /** Resolves once the barrier that stood at the call is open; at once if none stood. Rejects with Timeout or Aborted. */
  async wait(options: WaitOptions = {}): Promise<void> {
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    wait.signal.throwIfAborted()
    let stood: Zxid | null = null
    for (let open = false; !open; ) {
      await untilChange(
        client,
        async (watch) => {
          const node = await dataOrNull(client, this.#path, { watch })
          stood ??= node?.stat.czxid ?? null
          open = node === null || node.stat.czxid !== stood
          return !open
        },
        wait.signal,
      )
    }
  }
}

/** One's part in a meeting. */
export interface Attendance {
  /** Counts the rounds of this name, from 1; some numbers stay unused. */
  readonly round: number
  /** Resolves when all have left or gone. Idempotent. Rejects with Timeout or Aborted; one has left all the same. */
  leave(options?: WaitOptions): Promise<void>
}

const ROUND = /^round-([0-9]{1,9})$/

/**
 * Begins when so many have entered, ends when all have left. Rounds are numbered: who comes when one has begun waits for the next, and a
 * spurious waking opens nothing, for whether a round has begun is written in its node. Curator: DistributedDoubleBarrier.
 */
export class DoubleBarrier {
  readonly #world: World
  readonly #path: string
  readonly #members: number

  constructor(world: World, name: string, members: number) {
    if (!Number.isSafeInteger(members) || members < 1) {
      throw new KeeperError('BadArguments', 'members must be a whole number, 1 or more', { path: 'members' })
    }
    this.#world = world
    this.#members = members
    this.#path = `${BARRIERS_ROOT}/${toNodeName('name', name)}/rounds`
  }

  /** Resolves when the round begins. Rejects with Timeout or Aborted, and then has not entered. */
  async enter(options: WaitOptions = {}): Promise<Attendance> {
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    wait.signal.throwIfAborted()
    const { round, own } = await this.#join(wait.signal)
    try {
      await this.#begin(round, wait.signal)
      await this.#untilBegun(round, wait.signal)
    } catch (error) {
      leavePlace(client, own).catch(() => {})
      throw error
    }
    return { round: numberOf(round), leave: (leaving = {}) => this.#leave(round, own, leaving) }
  }

  /** Joins the round that has not begun: refused in the same txn if it begins meanwhile. */
  async #join(signal: AbortSignal): Promise<{ readonly round: string; readonly own: string }> {
    const { client, random } = this.#world
    const name = nonce(random)
    for (;;) {
      const round = await this.#openRound(signal)
      const own = `${round}/${name}`
      const enter: readonly Op[] = [
        { op: 'check', path: round, version: 0 },
        { op: 'create', path: own, mode: 'ephemeral' },
      ]
      try {
        await client.multi(enter, { signal })
        return { round, own }
      } catch (error) {
        // The round has begun, or was reaped when all had gone.
        if (hasCode(error, 'BadVersion', 'NoNode')) continue
        if (signal.aborted) {
          forgetPlace(client, round, name)
          throw aborted(signal)
        }
        if (!hasCode(error, 'ConnectionLoss')) throw error
      }
      // Who was in when the round began counts, whatever became of the reply.
      if ((await findPlace(client, round, name, signal)) !== null) return { round, own }
    }
  }

  /** The last round if it has not begun, else a new one. Rounds are containers: those that all have left go; their number stays used. */
  async #openRound(signal: AbortSignal): Promise<string> {
    const { client } = this.#world
    for (;;) {
      await ensureNode(client, this.#path, 'persistent', signal)
      await settle(client, this.#path, signal)
      const { data, stat } = await untilAnswered(client, (call) => client.getData(this.#path, call), signal)
      const last = Number(fromJson(data) ?? 0)
      const path = `${this.#path}/round-${last}`
      const node = last === 0 ? null : await untilAnswered(client, (call) => client.exists(path, call), signal)
      if (node?.version === 0) return path
      const next = `${this.#path}/round-${last + 1}`
      const open: readonly Op[] = [
        { op: 'setData', path: this.#path, data: String(last + 1), version: stat.version },
        { op: 'create', path: next, mode: 'container' },
      ]
      try {
        await untilAnswered(client, (call) => client.multi(open, call), signal)
        return next
      } catch (error) {
        // Another page was faster, or this one whose reply was lost: look again.
        if (!hasCode(error, 'BadVersion')) throw error
      }
    }
  }

  /** If enough are here, and in the same txn still are: one of them may be giving up now. */
  async #begin(round: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#world
    for (;;) {
      const here = await childrenOf(client, round, signal)
      if (here.length < this.#members) return
      const begin: readonly Op[] = [
        ...here.slice(0, this.#members).map((name): Op => ({ op: 'check', path: `${round}/${name}` })),
        { op: 'setData', path: round, data: 'begun', version: 0 },
      ]
      try {
        await untilAnswered(client, (call) => client.multi(begin, call), signal)
        return
      } catch (error) {
        if (hasCode(error, 'BadVersion')) return
        if (!hasCode(error, 'NoNode')) throw error
      }
    }
  }

  async #untilBegun(round: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#world
    for (let begun = false; !begun; ) {
      await untilChange(
        client,
        async (watch) => {
          begun = (await client.getData(round, { watch })).stat.version > 0
          return !begun
        },
        signal,
      )
    }
  }

  /**
   * The first one in the order of names stays until all others have gone, and they wait for it alone: each departure wakes one page, not all.
   * Curator and ZooKeeper's recipe do the same.
   */
  async #leave(round: string, own: string, options: WaitOptions): Promise<void> {
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    try {
      for (;;) {
        const here = [...(await childrenOf(client, round, wait.signal))].sort().map((name) => `${round}/${name}`)
        const others = here.filter((path) => path !== own)
        const [first] = here
        const last = others.at(-1)
        if (first === undefined || last === undefined) break
        if (first !== own) await leavePlace(client, own, wait.signal)
        await untilGone(client, first === own ? last : first, wait.signal)
      }
      await leavePlace(client, own, wait.signal)
    } catch (error) {
      leavePlace(client, own).catch(() => {})
      throw error
    }
  }
}

const numberOf = (path: string): number => Number(ROUND.exec(path.slice(path.lastIndexOf('/') + 1))?.[1] ?? 0)
