/** A bucket that fills steadily and holds one burst; whoever takes more than is in it has gone too far. Knows no clock. */
export class Allowance {
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #filledAt: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#left = burst
    this.#filledAt = now
  }

  /** False, and nothing taken: there is not so much. */
  take(amount: number, now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = now
    if (amount > this.#left) return false
    this.#left -= amount
    return true
  }
}
