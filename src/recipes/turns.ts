import { aborted } from './retry.ts'

/** Steps one after the other, in the order of asking. Who is aborted while it waits leaves at once, and its step is never begun. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(step: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const done = this.#last.then(() => {
      if (signal?.aborted) throw aborted(signal)
      return step()
    })
    this.#last = done.catch(() => undefined)
    return signal === undefined ? done : unlessAborted(done, signal)
  }
}

/** As the promise settles, unless the signal is earlier. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(aborted(signal))
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
