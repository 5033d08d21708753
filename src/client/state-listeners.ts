import { type ErrorCode, KeeperError } from '../base/errors.ts'
import type { ClientState, StateChange } from './api.ts'

type Listener = (change: StateChange) => void

/** Who wants to know of a client's state. */
export class StateListeners {
  readonly #onError: (error: unknown) => void
  readonly #listeners = new Set<{ readonly tell: Listener }>()
  #end: KeeperError | null = null

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  add(tell: Listener, signal?: AbortSignal): void {
    if (signal?.aborted) return
    const entry = { tell }
    this.#listeners.add(entry)
    signal?.addEventListener('abort', () => this.#listeners.delete(entry), { once: true })
  }

  connected(state: ClientState, signal?: AbortSignal): Promise<void> {
    if (state === 'connected') return Promise.resolve()
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const done = new AbortController()
      const abort = (): void => {
        done.abort()
        reject(new KeeperError('Aborted', 'Aborted: by its signal', { cause: signal?.reason }))
      }
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true, signal: done.signal })
      const tell = (change: StateChange): void => {
        if (change.state === 'connected') resolve()
        else if (this.#end !== null) reject(this.#end)
        else return
        done.abort()
      }
      this.add(tell, done.signal)
    })
  }

  /** `endCode`: why, of a final state. */
  tell(change: StateChange, endCode: ErrorCode): void {
    if (change.state === 'lost' || change.state === 'closed') this.#end = new KeeperError(endCode, change.reason)
    for (const listener of [...this.#listeners]) {
      try {
        listener.tell(change)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
