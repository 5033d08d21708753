import type { Clock } from './clock.ts'

/** The first pause is at most this long, milliseconds; it doubles, with full jitter, so that clients do not return all at once. */
const FIRST = 50
const LONGEST = 2000

/** When to try again. */
export class Backoff {
  readonly #clock: Clock
  readonly #random: () => number
  #failures = 0
  #cancel: (() => void) | null = null

  readonly #eager: boolean

  /** `eager`: the first attempt after a success is made at once. For a page and its own replica: nobody else returns there, and a hidden page's timers ring once a second. */
  constructor(clock: Clock, random: () => number, eager: boolean) {
    this.#clock = clock
    this.#random = random
    this.#eager = eager
  }

  after(then: () => void): void {
    if (this.#eager && this.#failures === 0) {
      this.#failures++
      queueMicrotask(then)
      return
    }
    const pause = Math.min(LONGEST, FIRST * 2 ** Math.min(this.#failures, 10)) * this.#random()
    this.#failures++
    this.#cancel = this.#clock.after(pause, then)
  }

  succeeded(): void {
    this.#failures = 0
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
