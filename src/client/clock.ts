/** Time as the client's owner gives it: the page's, a worker's, or a simulator's. Milliseconds. */
export interface Clock {
  /** Monotonic. */
  now(): number
  /** Runs `then` once, not before `ms` have passed; returns what cancels it. */
  after(ms: number, then: () => void): () => void
}
