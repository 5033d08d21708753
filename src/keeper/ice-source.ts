import type { IceServers } from './api.ts'

/** How long an answer is good. */
const FRESH_MS = 60_000
/** A connection waits for an answer, but not longer. */
const ANSWER_WITHIN = 5000

/** STUN and TURN servers as a connection needs them; a function is asked anew when its last answer is a minute old. */
export class IceSource {
  readonly #servers: IceServers
  readonly #failed: (why: string) => void
  #latest: readonly RTCIceServer[] = []
  #askedAt = Number.NEGATIVE_INFINITY
  #asking: Promise<readonly RTCIceServer[]> | null = null

  /** `failed`: told what the function threw; the last answer holds on. */
  constructor(servers: IceServers, failed: (why: string) => void) {
    this.#servers = servers
    this.#failed = failed
  }

  /** A promise where the function has to be asked first. It never rejects: what is known by then is better than nothing. */
  servers(): readonly RTCIceServer[] | Promise<readonly RTCIceServer[]> {
    if (typeof this.#servers !== 'function') return this.#servers
    if (performance.now() - this.#askedAt < FRESH_MS) return this.#asking ?? this.#latest
    this.#askedAt = performance.now()
    const asking = this.#patiently(this.#ask(this.#servers)).finally(() => {
      if (this.#asking === asking) this.#asking = null
    })
    this.#asking = asking
    return asking
  }

  async #patiently(asked: Promise<void>): Promise<readonly RTCIceServer[]> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ANSWER_WITHIN)
    })
    await Promise.race([asked, late])
    clearTimeout(timer)
    return this.#latest
  }

  async #ask(ask: Exclude<IceServers, readonly RTCIceServer[]>): Promise<void> {
    try {
      const servers = await ask()
      if (!Array.isArray(servers)) throw new TypeError('iceServers gave no array')
      this.#latest = servers
    } catch (error) {
      this.#failed(`No ICE servers: ${String(error)}`)
    }
  }
}
