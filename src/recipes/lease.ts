import { KeeperError } from '../base/errors.ts'
import type { Op, Stat } from '../client/api.ts'
import { checkWait } from './arguments.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import { fromJson } from './json.ts'
import { Marked } from './mark.ts'
import { dataOrNull } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { hasCode, untilAnswered } from './retry.ts'
import { nonce, type World } from './world.ts'

export const LEASES_ROOT = '/tk/leases'

interface Terms {
  readonly holder: string
  readonly duration: number
}

export interface LeaseOptions extends WaitOptions {
  readonly holder?: string
}

/** A right that ends by time, not with a session. */
export interface Lease {
  readonly holder: string
  /** Milliseconds of the leader's wall clock: until then nobody else gets it. */
  readonly until: number
  /** Put into a `multi`: the whole is refused once the lease was renewed, given back or taken by another. */
  guard(): Op
  /** From now for as long again. Null: it was over, and another has it. */
  renew(): Promise<Lease | null>
  /** Idempotent. */
  release(): Promise<void>
}

/**
 * Leases that outlive pages: a page that reloads finds its own again by `holder`. All times are the leader's clock as it stands in the log, so no page's clock
 * counts; where the leader moves to another device, its clock does. kazoo: NonBlockingLease, which trusts each client's.
 */
export class Leases {
  readonly #world: World
  readonly #marked: Marked

  constructor(world: World) {
    this.#world = world
    this.#marked = new Marked(world)
  }

  /**
   * For `duration` milliseconds, at once or not at all (null: another holder has it). Who has it already gets it anew. `holder` defaults to a random name, so
   * that nobody else renews it. Rejects with Timeout or Aborted (it may be obtained all the same, until its time is over), BadArguments.
   */
  async obtain(name: string, duration: number, options: LeaseOptions = {}): Promise<Lease | null> {
    if (!Number.isSafeInteger(duration) || duration < 1) {
      throw new KeeperError('BadArguments', 'duration must be a whole number of milliseconds', { path: 'duration' })
    }
    const path = `${LEASES_ROOT}/${toNodeName('name', name)}`
    const terms: Terms = { holder: checkWait(options).holder ?? nonce(this.#world.random), duration }
    const { client, clock } = this.#world
    using wait = waitSignal(clock, options)
    const { signal } = wait
    await ensureNode(client, LEASES_ROOT, 'persistent', signal)
    for (;;) {
      // A write: it shows the leader's clock, and what follows is read behind it.
      const { mtime: now } = await untilAnswered(client, (call) => client.setData(LEASES_ROOT, null, call), signal)
      const found = await untilAnswered(client, (call) => dataOrNull(client, path, call), signal)
      const held = found && termsOf(found.data)
      if (found !== null && held !== null && held.holder !== terms.holder && now < found.stat.mtime + held.duration) {
        return null
      }
      const write: Op =
        found === null
          ? { op: 'create', path, data: JSON.stringify(terms) }
          : { op: 'setData', path, data: JSON.stringify(terms), version: found.stat.version }
      try {
        await this.#marked.commit([write], signal)
      } catch (error) {
        if (hasCode(error, 'BadVersion', 'NodeExists', 'NoNode')) continue
        throw error
      }
      const node = await untilAnswered(client, (call) => dataOrNull(client, path, call), signal)
      if (node === null || termsOf(node.data)?.holder !== terms.holder) continue
      return this.#lease(name, path, terms, node.stat)
    }
  }

  #lease(name: string, path: string, { holder, duration }: Terms, { mtime, version }: Stat): Lease {
    return {
      holder,
      until: mtime + duration,
      guard: () => ({ op: 'check', path, version }),
      renew: () => this.obtain(name, duration, { holder }),
      release: async () => {
        try {
          // Not deleted: versions must go on counting, or a guard of long ago would fit again.
          await this.#marked.commit([{ op: 'setData', path, data: null, version }])
        } catch (error) {
          if (!hasCode(error, 'BadVersion')) throw error
        }
      },
    }
  }
}

function termsOf(data: Uint8Array | null): Terms | null {
  const terms = fromJson(data) as Partial<Terms> | null | undefined
  const whole = typeof terms?.holder === 'string' && typeof terms.duration === 'number'
  return whole ? (terms as Terms) : null
}
