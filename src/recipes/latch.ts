import { KeeperError } from '../base/errors.ts'
import { Cell } from './cell.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import { aborted } from './retry.ts'
import type { World } from './world.ts'

export const LATCHES_ROOT = '/tk/latches'

/** Opens for good when it was counted down so many times. Each `countDown` counts once, whatever happens to its reply. */
export class CountdownLatch {
  readonly #world: World
  readonly #cell: Cell<number>
  readonly #count: number

  constructor(world: World, name: string, count: number) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new KeeperError('BadArguments', 'count must be a whole number, 1 or more', { path: 'count' })
    }
    this.#world = world
    this.#count = count
    this.#cell = new Cell(world, name, LATCHES_ROOT)
  }

  /** How many are missing, as this replica sees it now; 0: open. */
  async remaining(): Promise<number> {
    return (await this.#cell.get())?.value ?? this.#count
  }

  /** Resolves with how many are missing after it. */
  async countDown(options: WaitOptions = {}): Promise<number> {
    const { value } = await this.#cell.update((left = this.#count) => Math.max(0, left - 1), options)
    return value
  }

  /** Resolves when the latch is open. Rejects with Timeout or Aborted. */
  async wait(options: WaitOptions = {}): Promise<void> {
    using wait = waitSignal(this.#world.clock, options)
    for await (const now of this.#cell.watch({ signal: wait.signal })) {
      if ((now?.value ?? this.#count) === 0) return
    }
    throw aborted(wait.signal)
  }

  /** Closed again, with its whole count. */
  async reset(): Promise<void> {
    await this.#cell.delete()
  }
}
