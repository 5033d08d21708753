import { KeeperError } from '../base/errors.ts'
import type { Op } from '../client/api.ts'
import { checkCallback, checkLossPolicy, checkWait } from './arguments.ts'
import { waitSignal } from './deadline.ts'
import { type Hold, openHold } from './hold.ts'
import { fromJson } from './json.ts'
import type { AcquireOptions } from './locks.ts'
import { dataOrNull, untilChange } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { childrenOf, leavePlace, standing, takePlace, untilServed } from './place.ts'
import { aborted, hasCode, settle, untilAnswered } from './retry.ts'
import { nonce, type World } from './world.ts'

export const SEMAPHORES_ROOT = '/tk/semaphores'

export interface PermitOptions extends Omit<AcquireOptions, 'mode'> {
  /** How many at once: all of them or none, so two askers never block each other with halves. Default 1. */
  readonly permits?: number
  /** Do not wait: null if they are not free now. */
  readonly ifAvailable?: boolean
}

/** `<permits>-<nonce>` below `leases`. */
const LEASE = /^([0-9]{1,6})-[0-9a-f]+$/

/**
 * At most so many at a time. Askers stand in one line and are served in its order; only its head looks at the leases, and it turns its
 * place into a lease in one txn, which is refused if the place is gone: no permit is ever given twice. Curator: InterProcessSemaphoreV2.
 */
export class Semaphore {
  readonly #world: World
  readonly #name: string
  readonly #max: number
  readonly #path: string

  constructor(world: World, name: string, permits: number) {
    if (!Number.isSafeInteger(permits) || permits < 1 || permits > 100_000) {
      throw new KeeperError('BadArguments', 'permits must be a whole number from 1 to 100 000', { path: 'permits' })
    }
    this.#world = world
    this.#name = name
    this.#max = permits
    this.#path = `${SEMAPHORES_ROOT}/${toNodeName('name', name)}`
  }

  /** Holds permits for as long as the callback's promise is pending. With `ifAvailable` the callback may get null. */
  async request<T>(options: PermitOptions, callback: (hold: Hold | null) => T | PromiseLike<T>): Promise<T> {
    checkCallback(callback)
    const hold = await this.#acquire(options)
    if (hold === null) return await callback(null)
    try {
      return await callback(hold)
    } finally {
      await hold.release()
    }
  }

  /**
   * Waits for permits. Rejects as a lock's `acquire` does; BadArguments where pages disagree about the number of permits: the first one's
   * counts for as long as the semaphore is in use.
   */
  async acquire(options: Omit<PermitOptions, 'ifAvailable'> = {}): Promise<Hold> {
    const hold = await this.#acquire(options)
    if (hold === null) throw new KeeperError('RuntimeInconsistency')
    return hold
  }

  /** Permits that are given out, as this replica sees it now. */
  async used(): Promise<number> {
    return sum(await childrenOf(this.#world.client, `${this.#path}/leases`))
  }

  async #acquire(options: PermitOptions): Promise<Hold | null> {
    const { client, clock, random } = this.#world
    const { permits = 1, lossPolicy } = checkWait(options)
    const policy = checkLossPolicy(lossPolicy)
    if (!Number.isSafeInteger(permits) || permits < 1 || permits > this.#max) {
      throw new KeeperError('BadArguments', `permits must be a whole number from 1 to ${this.#max}`, {
        path: 'permits',
      })
    }
    using wait = waitSignal(clock, options)
    wait.signal.throwIfAborted()
    await this.#agree(wait.signal)
    const place = await takePlace(client, random, `${this.#path}/line`, 'exclusive', null, wait.signal)
    const lease = `${this.#path}/leases/${permits}-${nonce(random)}`
    try {
      if (options.ifAvailable !== true) await untilServed(client, place, wait.signal)
      else if (
        (await standing(client, place, wait.signal)).before !== null ||
        !(await this.#free(permits, wait.signal))
      ) {
        await leavePlace(client, place, wait.signal)
        return null
      }
      await this.#turnInto(place, lease, permits, wait.signal)
      return await openHold(client, this.#name, 'shared', lease, policy, wait.signal)
    } catch (error) {
      for (const path of [place, lease]) leavePlace(client, path).catch(() => {})
      throw error
    }
  }

  /** Makes the nodes; agrees with all others on the number of permits. Resolves with the version of that agreement. */
  async #agree(signal: AbortSignal): Promise<number> {
    const { client } = this.#world
    await ensureNode(client, `${this.#path}/leases`, 'persistent', signal)
    for (;;) {
      const { data, stat } = await untilAnswered(client, (call) => client.getData(this.#path, call), signal)
      const max = fromJson(data)
      if (max === this.#max) return stat.version
      const waiting = await childrenOf(client, `${this.#path}/line`, signal)
      const given = await childrenOf(client, `${this.#path}/leases`, signal)
      if (max !== undefined && waiting.length + given.length > 0) {
        const message = `permits: "${this.#name}" is in use with ${String(max)} permits, not ${this.#max}`
        throw new KeeperError('BadArguments', message, { path: 'permits' })
      }
      try {
        await untilAnswered(
          client,
          (call) => client.setData(this.#path, JSON.stringify(this.#max), { ...call, version: stat.version }),
          signal,
        )
      } catch (error) {
        if (!hasCode(error, 'BadVersion')) throw error
      }
    }
  }

  async #free(permits: number, signal: AbortSignal): Promise<boolean> {
    return sum(await childrenOf(this.#world.client, `${this.#path}/leases`, signal)) + permits <= this.#max
  }

  /** Only the head of the line waits here. */
  async #untilFree(permits: number, signal: AbortSignal): Promise<void> {
    const { client } = this.#world
    let free = false
    while (!free) {
      await untilChange(
        client,
        async (watch) => {
          const { children } = await client.getChildren(`${this.#path}/leases`, { watch })
          free = sum(children) + permits <= this.#max
          return !free
        },
        signal,
      )
    }
  }

  /**
   * In one txn, which is refused if another page has changed the number of permits meanwhile, and makes such a change be refused. After a lost reply, the
   * lease itself tells.
   */
  async #turnInto(place: string, lease: string, permits: number, signal: AbortSignal): Promise<void> {
    const { client } = this.#world
    for (;;) {
      const version = await this.#agree(signal)
      await this.#untilFree(permits, signal)
      const ops: readonly Op[] = [
        { op: 'setData', path: this.#path, data: JSON.stringify(this.#max), version },
        { op: 'delete', path: place },
        { op: 'create', path: lease, mode: 'ephemeral' },
      ]
      try {
        await client.multi(ops, { signal })
        return
      } catch (error) {
        if (signal.aborted && hasCode(error, 'Aborted')) throw aborted(signal)
        if (hasCode(error, 'BadVersion')) continue
        if (!hasCode(error, 'ConnectionLoss')) throw error
      }
      await settle(client, lease, signal)
      if ((await untilAnswered(client, (call) => dataOrNull(client, lease, call), signal)) !== null) return
    }
  }
}

function sum(leases: readonly string[]): number {
  let used = 0
  for (const name of leases) used += Number(LEASE.exec(name)?.[1] ?? 0)
  return used
}
