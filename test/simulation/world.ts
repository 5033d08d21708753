import { Chance } from './chance.ts'

/** Who an event belongs to: it waits while its owner is frozen, and is lost when its owner has crashed since. */
export interface Owner {
  readonly boot: number
  readonly frozen: boolean
  readonly backlog: (() => void)[]
}

interface Scheduled {
  readonly at: number
  readonly order: number
  readonly seq: number
  readonly owner: Owner | null
  readonly boot: number
  readonly run: () => void
}

const before = (a: Scheduled, b: Scheduled): boolean =>
  a.at !== b.at ? a.at < b.at : a.order !== b.order ? a.order < b.order : a.seq < b.seq

/** Virtual time and the one queue of events. Everything of a simulated life happens in one thread, in one order. */
export class World {
  readonly seed: number
  now = 0
  events = 0
  readonly #heap: Scheduled[] = []
  readonly #ties: Chance
  readonly #shuffleTies: boolean
  #seq = 0
  readonly #streams = new Map<string, Chance>()
  /** FNV over what happened: two runs of one seed must agree. */
  trace = 2166136261

  constructor(seed: number, shuffleTies: boolean) {
    this.seed = seed
    this.#ties = new Chance(seed, 'ties')
    this.#shuffleTies = shuffleTies
  }

  chance(stream: string): Chance {
    let chance = this.#streams.get(stream)
    if (chance === undefined) {
      chance = new Chance(this.seed, stream)
      this.#streams.set(stream, chance)
    }
    return chance
  }

  note(word: number): void {
    this.trace = Math.imul(this.trace ^ (word | 0), 16777619)
  }

  at(time: number, owner: Owner | null, run: () => void): void {
    const event: Scheduled = {
      at: Math.max(time, this.now),
      order: this.#shuffleTies ? this.#ties.uint() : 0,
      seq: this.#seq++,
      owner,
      boot: owner?.boot ?? 0,
      run,
    }
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent] as Scheduled)) break
      heap[i] = heap[parent] as Scheduled
      i = parent
    }
    heap[i] = event
  }

  after(ms: number, owner: Owner | null, run: () => void): void {
    this.at(this.now + ms, owner, run)
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++
      if (!before(heap[child] as Scheduled, last)) break
      heap[i] = heap[child] as Scheduled
      i = child
    }
    heap[i] = last
    return top
  }

  /** Runs until `until` (virtual) or until `stop` says so, asked after every event. */
  async run(until: number, stop: () => boolean = () => false): Promise<void> {
    while (this.#heap.length > 0 && (this.#heap[0] as Scheduled).at <= until) {
      const event = this.#pop() as Scheduled
      this.now = event.at
      const { owner } = event
      if (owner !== null && owner.boot !== event.boot) continue
      if (owner?.frozen === true) {
        owner.backlog.push(event.run)
        continue
      }
      this.events++
      event.run()
      await settled()
      if (stop()) return
    }
    this.now = Math.max(this.now, until)
  }
}

/** All microtasks have run: Node takes the queue of ticks up again when they have, and at a tenth of the cost of a turn of its loop. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))
