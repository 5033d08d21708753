import { KeeperError } from '../base/errors.ts'
import type { Clock } from '../client/clock.ts'
import { checkWait } from './arguments.ts'
import { aborted } from './retry.ts'
import { chance, type Random } from './world.ts'

export interface WaitOptions {
  /** Ends the wait with a KeeperError `Aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds; then the wait ends with a KeeperError `Timeout`. */
  readonly timeout?: number | undefined
}

/** One signal for both ends of a wait. Its reason is the KeeperError to reject with. Dispose it when the wait is over. */
export function waitSignal(
  clock: Clock,
  options: WaitOptions,
): { readonly signal: AbortSignal; [Symbol.dispose](): void } {
  const { signal, timeout } = checkWait(options)
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new KeeperError('BadArguments', 'timeout must be a number of milliseconds, 0 or more', { path: 'timeout' })
  }
  const controller = new AbortController()
  const unsubscribe = new AbortController()
  const stopTimer =
    timeout === undefined || timeout === Number.POSITIVE_INFINITY
      ? null
      : clock.after(timeout, () => controller.abort(new KeeperError('Timeout', `nothing within ${timeout} ms`)))
  if (signal?.aborted) controller.abort(aborted(signal))
  else signal?.addEventListener('abort', () => controller.abort(aborted(signal)), { signal: unsubscribe.signal })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      stopTimer?.()
      unsubscribe.abort()
    },
  }
}

/** A short wait before the next attempt, longer each time, so that many who were refused do not meet again. */
export function pause(clock: Clock, random: Random, attempt: number, signal?: AbortSignal): Promise<void> {
  const most = Math.min(5 * 2 ** attempt, 500)
  return sleep(clock, chance(random) * most, signal)
}

export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal))
    const over = new AbortController()
    const stop = clock.after(ms, () => {
      over.abort()
      resolve()
    })
    const leave = (): void => {
      stop()
      reject(aborted(signal as AbortSignal))
    }
    signal?.addEventListener('abort', leave, { signal: over.signal, once: true })
  })
}
