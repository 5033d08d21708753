/** So many connections in the life of a page, and Chromium is asked to forget the closed ones. Its limit is 500 a renderer process. */
const FORGET_EVERY = 100
/** Memory outside of the JavaScript heap, which it does count. */
const PRESSURE_BYTES = 64 * 2 ** 20

/**
 * Chromium counts connections until they are collected, not until they are closed, and connections alone are no reason for it to collect
 * garbage: the 501st of a page is refused, even if 500 are closed. Memory is a reason.
 */
export class PairBudget {
  #made = 0

  /** Before each connection. */
  spend(): void {
    this.#made += 1
    if (this.#made % FORGET_EVERY === 0) this.refused()
  }

  /** The browser made none: the next attempt may fare better. */
  refused(): void {
    try {
      void new ArrayBuffer(PRESSURE_BYTES)
    } catch {
      // There is not so much: then garbage has been collected for it.
    }
  }
}
