/** Time as the client's owner gives it: the page's, a worker's, or a simulator's. Milliseconds. */
export interface Clock {
  /** Monotonic. */
  now(): number
  /** Runs `then` once, not before `ms` have passed; returns what cancels it. */
  after(ms: number, then: () => void): () => void
}

/** What a worker is told that keeps time for a page: ring with this id after so many milliseconds, or (null) not at all. */
export interface TimerOrder {
  readonly id: number
  readonly ms: number | null
}
