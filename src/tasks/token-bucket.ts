import type { Rate } from './queue-config.ts'

/** A rate over time. It starts empty: whoever dispatched before may have used this moment's share. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens = 0
  #at: number

  /** `now`: milliseconds. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#at = now
  }

  #fill(now: number): void {
    const { limit, per } = this.#rate
    this.#tokens = Math.min(limit, this.#tokens + (Math.max(0, now - this.#at) * limit) / per)
    this.#at = Math.max(this.#at, now)
  }

  /** When there is one, at the latest; `now` if there is. */
  readyAt(now: number): number {
    this.#fill(now)
    // A sum of parts may miss a whole by a rounding error.
    if (this.#tokens > 1 - 1e-9) return now
    return now + Math.ceil(((1 - this.#tokens) * this.#rate.per) / this.#rate.limit)
  }

  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1)
  }
}
