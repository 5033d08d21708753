/** Seeded random streams (sfc32). Each concern has its own, so that switching one fault off does not shift the others. */
export class Chance {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number, stream = '') {
    // Not xor: the first digit of the name would undo it, and the first nine seeds be one.
    let h = Math.imul(seed + 1, 2654435761) ^ 1779033703
    for (const char of `${seed}/${stream}`) h = Math.imul(h ^ char.charCodeAt(0), 3432918353)
    this.#a = h | 0
    this.#b = Math.imul(h, 2246822507) | 0
    this.#c = Math.imul(h ^ (h >>> 16), 3266489909) | 0
    this.#d = 1
    for (let i = 0; i < 12; i++) this.uint()
  }

  /** The n-th stream of a seed, in place: what is drawn from one does not change the others. */
  turnTo(seed: number, n: number): void {
    this.#a = Math.imul(seed + 1, 2654435761) | 0
    this.#b = Math.imul(n + 1, 2246822507) | 0
    this.#c = Math.imul(seed ^ (n << 7), 3432918353) | 0
    this.#d = 1
    for (let i = 0; i < 8; i++) this.uint()
  }

  uint(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + t) | 0
    return t >>> 0
  }

  /** 0 ≤ x < 1. */
  real(): number {
    return this.uint() / 4294967296
  }

  /** lo ≤ n ≤ hi. */
  int(lo: number, hi: number): number {
    return lo + Math.floor(this.real() * (hi - lo + 1))
  }

  is(probability: number): boolean {
    return this.real() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T
  }

  /** Exponential with this mean, whole milliseconds. */
  exp(mean: number): number {
    return Math.floor(-Math.log(1 - this.real()) * mean)
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.uint() & 255
    return out
  }
}
