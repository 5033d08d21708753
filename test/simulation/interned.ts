/** Gives every pair of ids an id of its own; exact, nothing is hashed away. Open addressing over typed arrays. */
class Pairs {
  #left = new Int32Array(1 << 16)
  #right = new Int32Array(1 << 16)
  #slots = new Int32Array(1 << 17)
  #size = 0

  idOf(left: number, right: number): number {
    const mask = this.#slots.length - 1
    let at = mix(left, right) & mask
    for (let id = this.#slots[at] as number; id !== 0; id = this.#slots[at] as number) {
      if (this.#left[id - 1] === left && this.#right[id - 1] === right) return id - 1
      at = (at + 1) & mask
    }
    if (this.#size === this.#left.length) {
      this.#grow()
      return this.idOf(left, right)
    }
    this.#left[this.#size] = left
    this.#right[this.#size] = right
    this.#slots[at] = ++this.#size
    return this.#size - 1
  }

  get size(): number {
    return this.#size
  }

  #grow(): void {
    this.#left = doubled(this.#left)
    this.#right = doubled(this.#right)
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let at = mix(this.#left[id] as number, this.#right[id] as number) & mask
      while (this.#slots[at] !== 0) at = (at + 1) & mask
      this.#slots[at] = id + 1
    }
  }
}

function doubled(old: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(old.length * 2)
  larger.set(old)
  return larger
}

function mix(left: number, right: number): number {
  let h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return h ^ (h >>> 15)
}

/**
 * A set of tuples of one width, kept as a tree of pairs: tuples that differ in one place share all but one path (tree
 * compression, as LTSmin does it). Exact: two different tuples are never taken for one.
 */
export class TupleSet {
  readonly #inner = new Pairs()
  readonly #roots = new Pairs()
  readonly #scratch: Int32Array

  constructor(width: number) {
    this.#scratch = new Int32Array(width)
  }

  /** True if it was not there yet. */
  add(tuple: Int32Array): boolean {
    const row = this.#scratch
    let width = row.length
    for (let i = 0; i < width; i++) row[i] = tuple[i] as number
    while (width > 2) {
      let to = 0
      for (let i = 0; i + 1 < width; i += 2) row[to++] = this.#inner.idOf(row[i] as number, row[i + 1] as number)
      if (width % 2 === 1) row[to++] = row[width - 1] as number
      width = to
    }
    const before = this.#roots.size
    return this.#roots.idOf(row[0] as number, row[1] as number) === before
  }

  get size(): number {
    return this.#roots.size
  }
}

/** Values that are told apart by a key; equal keys, one id. */
export class Interned<T> {
  readonly #ids = new Map<string, number>()
  readonly #values: T[] = []

  idOf(key: string, make: () => T): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.#values.length)
    this.#values.push(make())
    return this.#values.length - 1
  }

  at(id: number): T {
    return this.#values[id] as T
  }

  get size(): number {
    return this.#values.length
  }
}
