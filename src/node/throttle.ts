/** What can be stopped and go on. */
export interface Flow {
  pause(): void
  resume(): void
}

/**
 * Keeps a flow within so many bytes a second (a burst of one second may pass), and stops it while its other side is full. One flow,
 * two reasons to wait: it goes on when neither holds.
 */
export class Throttle {
  readonly #bytesPerSecond: number
  readonly #flow: Flow
  #allowance: number
  #filledAt = performance.now()
  #full = false
  #timer: NodeJS.Timeout | null = null

  constructor(bytesPerSecond: number, flow: Flow) {
    this.#bytesPerSecond = bytesPerSecond
    this.#allowance = bytesPerSecond
    this.#flow = flow
  }

  passed(bytes: number): void {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return
    const now = performance.now()
    const filled = this.#allowance + ((now - this.#filledAt) / 1000) * this.#bytesPerSecond
    this.#allowance = Math.min(this.#bytesPerSecond, filled) - bytes
    this.#filledAt = now
    if (this.#allowance >= 0 || this.#timer !== null) return
    this.#flow.pause()
    const wait = (-this.#allowance / this.#bytesPerSecond) * 1000
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (!this.#full) this.#flow.resume()
    }, wait)
  }

  /** The other side is full. */
  hold(): void {
    if (this.#full) return
    this.#full = true
    this.#flow.pause()
  }

  /** The other side has room again. */
  release(): void {
    if (!this.#full) return
    this.#full = false
    if (this.#timer === null) this.#flow.resume()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
