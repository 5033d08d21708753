import type { Clock } from '../../../src/client/clock.ts'
import type { Platform } from '../../../src/replica/api.ts'

interface Timer {
  at: number
  readonly then: () => void
}

/** One clock for replicas and clients: it moves only when a test says so. */
export class VirtualTime implements Clock {
  #now = 0
  #timers: Timer[] = []
  #drawn = 1

  now(): number {
    return this.#now
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  #draw(): number {
    this.#drawn = (Math.imul(this.#drawn, 1_103_515_245) + 12_345) >>> 0
    return this.#drawn >>> 16
  }

  /** A replica's platform on this clock. */
  platform(): Platform {
    return {
      now: () => this.#now,
      wall: () => 1_800_000_000_000 + this.#now,
      entropy: (length) => Uint8Array.from({ length }, () => this.#draw()),
      every: (ms, tick) => {
        let stop = this.after(ms, again.bind(this))
        function again(this: VirtualTime): void {
          stop = this.after(ms, again.bind(this))
          tick()
        }
        return () => stop()
      },
      soon: (turn) => void setImmediate(turn),
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const next = this.#timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#timers = this.#timers.filter((one) => one !== next)
      next.then()
      await settled()
    }
    this.#now = until
  }

  /** Advances until `done`, at most `ms`. */
  async until(done: () => boolean, ms = 10_000): Promise<void> {
    for (const end = this.#now + ms; !done(); ) {
      if (this.#now >= end) throw new Error('it did not come about')
      await this.advance(50)
    }
  }
}

/** Turns, links and logs have done what they can at this moment. */
async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** The answer, while time goes on. */
export async function during<T>(time: VirtualTime, asked: Promise<T>): Promise<T> {
  let done = false
  const seen = asked.finally(() => {
    done = true
  })
  seen.catch(() => undefined)
  await time.until(() => done)
  return seen
}
