import type { Platform } from './api.ts'

/** The clock, chance and turns of a worker. Its timers are not throttled when the page is hidden. */
export function workerPlatform(): Platform {
  const turns: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => turns.shift()?.()
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
    every: (ms, tick) => {
      const timer = setInterval(tick, ms)
      return () => clearInterval(timer)
    },
    // A message to oneself comes after the messages that already wait, without a timer's delay.
    soon: (turn) => {
      turns.push(turn)
      port2.postMessage(null)
    },
  }
}
