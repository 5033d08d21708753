const WINDOW = 512

/** Which numbers of a rising sequence have come, in any order: each is new once, and what lies far behind the highest is not. */
export class Seen {
  readonly #slots = new Uint32Array(WINDOW)
  #highest = 0

  /** From 1 to 2^32 - 1. */
  isNew(n: number): boolean {
    if (n <= this.#highest - WINDOW || this.#slots[n % WINDOW] === n) return false
    this.#slots[n % WINDOW] = n
    this.#highest = Math.max(this.#highest, n)
    return true
  }
}
