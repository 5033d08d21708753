import type { Locks } from '../../../src/storage/locks.ts'

/** The Web Locks of one browser, in memory: exclusive locks, FIFO. */
export class MemoryLocks implements Locks {
  readonly #tails = new Map<string, Promise<unknown>>()
  readonly #held = new Map<string, number>()

  async request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    callback: (lock: object | null) => Promise<T>,
  ): Promise<T> {
    const waiting = this.#held.get(name) ?? 0
    if (options.ifAvailable === true && waiting > 0) return callback(null)
    this.#held.set(name, waiting + 1)
    const turn = (this.#tails.get(name) ?? Promise.resolve()).then(() => {
      options.signal?.throwIfAborted()
      return callback({ name })
    })
    this.#tails.set(
      name,
      turn.catch(() => {}),
    )
    try {
      return await turn
    } finally {
      this.#held.set(name, (this.#held.get(name) ?? 1) - 1)
    }
  }

  async query() {
    return { held: [...this.#held].filter(([, count]) => count > 0).map(([name]) => ({ name })) }
  }
}
