import type { Clock, TimerOrder } from '../client/clock.ts'

// One line, so that every bundler sees it.
const ownWorker = (): Worker => new Worker(new URL('../../workers/timers.js', import.meta.url), { type: 'module' })

/**
 * The clock of a page that has no replica's worker to keep its session alive: hidden pages' timers ring once a minute (Chromium's intensive
 * throttling), workers' do not. Every timer runs in both places, and the first to ring counts: where the worker cannot start, the page's
 * timers are all there is.
 */
export class AwakeClock implements Clock {
  readonly #worker: Worker | null
  readonly #pending = new Map<number, () => void>()
  #next = 1

  constructor() {
    this.#worker = startWorker()
    if (this.#worker !== null) this.#worker.onmessage = ({ data }: MessageEvent<number>) => this.#ring(data)
  }

  now(): number {
    return performance.now()
  }

  after(ms: number, then: () => void): () => void {
    const id = this.#next++
    const timer = setTimeout(() => this.#ring(id), ms)
    const stop = (): boolean => {
      clearTimeout(timer)
      return this.#pending.delete(id)
    }
    this.#pending.set(id, () => {
      stop()
      then()
    })
    this.#order({ id, ms })
    return () => {
      if (stop()) this.#order({ id, ms: null })
    }
  }

  /** Timers that are set run in the page alone from here on. */
  close(): void {
    this.#worker?.terminate()
  }

  #ring(id: number): void {
    this.#pending.get(id)?.()
  }

  #order(order: TimerOrder): void {
    this.#worker?.postMessage(order)
  }
}

function startWorker(): Worker | null {
  if (typeof Worker === 'undefined') return null
  try {
    return ownWorker()
  } catch {
    // A Content-Security-Policy that allows no workers.
    return null
  }
}
