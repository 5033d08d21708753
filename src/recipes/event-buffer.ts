interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** The reading end of a stream of events. Who is too far behind gets one event that says so, in place of what it missed. */
export class EventBuffer<T> implements AsyncIterableIterator<T, undefined> {
  /** In order; read from `#read` on. */
  #events: T[]
  #read = 0
  readonly #max: number
  readonly #overflow: T
  readonly #released: () => void
  readonly #waiting: Waiting<T>[] = []
  #end: { readonly error: unknown } | null = null

  /** `first` is read first, however much it is; `max` more may wait. `released` is called once. */
  constructor(first: readonly T[], max: number, overflow: T, released: () => void) {
    this.#events = [...first]
    this.#max = first.length + max
    this.#overflow = overflow
    this.#released = released
  }

  push(event: T): void {
    if (this.#end !== null) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) reader.resolve({ done: false, value: event })
    else if (this.#events.length < this.#max) this.#events.push(event)
    else {
      this.#events = [this.#overflow]
      this.#read = 0
    }
  }

  /** What was pushed before is still read; then comes the error if there is one (not null), then the end. */
  end(error: unknown): void {
    if (this.#end !== null) return
    const [first, ...others] = this.#waiting.splice(0)
    if (first !== undefined && error !== null) first.reject(error)
    else first?.resolve({ done: true, value: undefined })
    for (const reader of others) reader.resolve({ done: true, value: undefined })
    this.#end = { error: first === undefined ? error : null }
    this.#released()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#read < this.#events.length) {
      const value = this.#events[this.#read++] as T
      if (this.#read === this.#events.length) {
        this.#events = []
        this.#read = 0
      }
      return Promise.resolve({ done: false, value })
    }
    if (this.#end === null) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    const { error } = this.#end
    this.#end = { error: null }
    return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#events = []
    this.#read = 0
    this.end(null)
    this.#end = { error: null }
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
