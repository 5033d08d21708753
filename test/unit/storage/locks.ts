import type { Locks } from '../../../src/storage/locks.ts'

/** The Web Locks of one browser, in memory: FIFO, and one holder at a time also of those that are shared. */
export class MemoryLocks implements Locks {
  readonly #tails = new Map<string, Promise<unknown>>()
  readonly #held = new Map<string, number>()
  readonly #modes = new Map<string, string>()

  async request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal; readonly mode?: string },
    callback: (lock: object | null) => Promise<T>,
  ): Promise<T> {
    const waiting = this.#held.get(name) ?? 0
    if (options.ifAvailable === true && waiting > 0) return callback(null)
    this.#held.set(name, waiting + 1)
    const turn = (this.#tails.get(name) ?? Promise.resolve()).then(() => {
      options.signal?.throwIfAborted()
      this.#modes.set(name, options.mode ?? 'exclusive')
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
    return {
      held: [...this.#held]
        .filter(([, count]) => count > 0)
        .map(([name]) => ({ name, mode: this.#modes.get(name) ?? 'exclusive' })),
    }
  }
}
