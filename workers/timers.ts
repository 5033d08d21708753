import type { TimerOrder } from '../src/client/clock.ts'

// Timers for a page that is only a client: a hidden page's own ring once a minute. It has no part in anything else.
const timers = new Map<number, ReturnType<typeof setTimeout>>()

addEventListener('message', ({ data: { id, ms } }: MessageEvent<TimerOrder>): void => {
  clearTimeout(timers.get(id))
  timers.delete(id)
  if (ms === null) return
  const ring = (): void => {
    timers.delete(id)
    postMessage(id)
  }
  timers.set(id, setTimeout(ring, ms))
})
