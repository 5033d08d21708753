import { KeeperError } from '../base/errors.ts'
import type { WorkerEvent } from '../replica/service-api.ts'

export type State = Extract<WorkerEvent, { kind: 'changed' }>['state']

/** What the worker told last of its replica, and who waits for it to tell something else. */
export class LastState {
  #now: State | null = null
  #end: KeeperError | null = null
  readonly #waiting = new Set<(end: KeeperError | null) => void>()

  /** null: it has told nothing yet. */
  get now(): State | null {
    return this.#now
  }

  changed(state: State): void {
    this.#now = state
    for (const listener of [...this.#waiting]) listener(null)
  }

  /** It turned out to be old, and something newer is on its way. */
  correct(more: Partial<State>): void {
    if (this.#now !== null) this.#now = { ...this.#now, ...more }
  }

  /** Nothing will be told any more: whoever waits is rejected with `why`. */
  end(why: KeeperError): void {
    this.#end = why
    for (const listener of [...this.#waiting]) listener(why)
  }

  /** At once, if it is so already. Rejects with `Timeout` after `ms`, or when nothing will be told any more. */
  until(fits: (state: State) => boolean, ms: number): Promise<void> {
    const isSo = (): boolean => this.#now !== null && fits(this.#now)
    if (this.#end !== null) return Promise.reject(this.#end)
    if (isSo()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const done = (error: KeeperError | null) => {
        clearTimeout(timer)
        this.#waiting.delete(listen)
        if (error === null) resolve()
        else reject(error)
      }
      const timer = setTimeout(() => done(new KeeperError('Timeout', `Not within ${ms} ms.`)), ms)
      const listen = (end: KeeperError | null) => {
        if (end !== null || isSo()) done(end)
      }
      this.#waiting.add(listen)
    })
  }
}
