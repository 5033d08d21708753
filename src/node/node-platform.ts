import type { Clock } from '../client/clock.ts'
import type { Platform } from '../replica/api.ts'

/** Clock, chance and turns of a Node process. */
export const nodePlatform: Platform = {
  now: () => performance.now(),
  wall: () => Date.now(),
  entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms)
    return () => clearInterval(timer)
  },
  // After the sockets that are readable now: what they hold is one batch.
  soon: (turn) => void setImmediate(turn),
}

export const nodeClock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}
