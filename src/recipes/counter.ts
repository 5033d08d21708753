import { KeeperError } from '../base/errors.ts'
import type { Clock } from '../client/clock.ts'
import { Cell } from './cell.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import { Turns } from './turns.ts'
import type { World } from './world.ts'

export const COUNTERS_ROOT = '/tk/counters'

/** A whole number that all pages add to. Each `add` counts once, whatever happens to its reply. Curator: DistributedAtomicLong; kazoo: Counter. */
export class Counter {
  readonly #cell: Cell<number>

  constructor(world: World, name: string) {
    this.#cell = new Cell(world, name, COUNTERS_ROOT)
  }

  /** As this replica sees it now; 0 before the first `add`. */
  async get(): Promise<number> {
    return (await this.#cell.get())?.value ?? 0
  }

  /** Resolves with the sum after this addition. BadArguments: no safe integer, or the sum would be none. */
  async add(delta: number, options: WaitOptions = {}): Promise<number> {
    whole('delta', delta)
    const { value } = await this.#cell.update((sum = 0) => whole('delta', sum + delta), options)
    return value
  }

  /** The value now, then after each change; see Cell.watch. */
  async *watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<number, void, undefined> {
    for await (const now of this.#cell.watch(options)) yield now?.value ?? 0
  }
}

function whole(argument: string, value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new KeeperError('BadArguments', `${argument} must be, and must lead to, a safe integer`, { path: argument })
}

/** Numbers that nobody else gets, taken from a counter in blocks: one write a block. Unused ones of a page that goes are never given. */
export class IdGenerator {
  readonly #counter: Counter
  readonly #block: number
  #next = 0
  #end = 0
  readonly #turns = new Turns()
  readonly #clock: Clock

  constructor(world: World, name: string, block: number) {
    if (!Number.isSafeInteger(block) || block < 1 || block > 1_000_000) {
      throw new KeeperError('BadArguments', 'block must be a whole number from 1 to 1 000 000', { path: 'block' })
    }
    this.#clock = world.clock
    this.#counter = new Counter(world, `ids:${name}`)
    this.#block = block
  }

  /** Ascending within this object, from 1; of two pages, the later request may get the smaller number. */
  async next(options: WaitOptions = {}): Promise<number> {
    using wait = waitSignal(this.#clock, options)
    return await this.#turns.take(async () => {
      if (this.#next === this.#end) {
        const end = await this.#counter.add(this.#block, { signal: wait.signal })
        this.#next = end - this.#block
        this.#end = end
      }
      return ++this.#next
    }, wait.signal)
  }
}
