import type { Clock } from '../client/clock.ts'

/** This thread's own timers. */
export const pageClock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}
