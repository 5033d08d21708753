import type { IceServers } from './api.ts'

/** How long an answer is good. */
const FRESH_MS = 60_000
/** The first connections wait for the first answer, but not longer. */
const FIRST_WITHIN = 5000

/** STUN and TURN servers as they are known now; a function is asked anew when its last answer is a minute old. */
export class IceSource {
  readonly #servers: IceServers
  readonly #failed: (why: string) => void
  #latest: readonly RTCIceServer[] = []
  #askedAt = Number.NEGATIVE_INFINITY

  /** `failed`: told what the function threw; the last answer holds on. */
  constructor(servers: IceServers, failed: (why: string) => void) {
    this.#servers = servers
    this.#failed = failed
  }

  /** Resolves when there is a first answer, or it is late. */
  async ready(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, FIRST_WITHIN)
    })
    await Promise.race([this.#ask(), late])
    clearTimeout(timer)
  }

  now(): readonly RTCIceServer[] {
    if (typeof this.#servers !== 'function') return this.#servers
    if (performance.now() - this.#askedAt >= FRESH_MS) void this.#ask()
    return this.#latest
  }

  async #ask(): Promise<void> {
    if (typeof this.#servers !== 'function') return
    this.#askedAt = performance.now()
    try {
      this.#latest = await this.#servers()
    } catch (error) {
      this.#failed(`No ICE servers: ${String(error)}`)
    }
  }
}
