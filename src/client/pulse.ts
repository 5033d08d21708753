import type { Clock } from './clock.ts'

/**
 * Keeps one connection's session alive and notices silence: a ping when nothing was sent for a third of the session timeout, the
 * end when nothing was heard for two thirds (ZooKeeper: ClientCnxn.SendThread). With a host that touches the session it only
 * watches the handshake.
 */
export class Pulse {
  readonly #clock: Clock
  readonly #terms: { readonly pings: boolean; readonly ping: () => void; readonly silent: (ms: number) => void }
  #timeout = 0
  #sentAt: number
  #heardAt: number
  #cancel: (() => void) | null = null

  constructor(
    clock: Clock,
    terms: { readonly pings: boolean; readonly ping: () => void; readonly silent: (ms: number) => void },
  ) {
    this.#clock = clock
    this.#terms = terms
    this.#sentAt = this.#heardAt = clock.now()
  }

  /** Silence is all that ends the handshake. */
  expectAnswer(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#terms.silent(ms))
  }

  /** The session is there, with this timeout (milliseconds). */
  start(timeout: number): void {
    this.stop()
    this.#timeout = timeout
    if (this.#terms.pings) this.#schedule()
  }

  sent(): void {
    this.#sentAt = this.#clock.now()
  }

  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #schedule(): void {
    const due = Math.min(this.#sentAt + this.#timeout / 3, this.#heardAt + (this.#timeout * 2) / 3)
    this.#cancel = this.#clock.after(Math.max(1, due - this.#clock.now()), () => this.#wake(due))
  }

  #wake(due: number): void {
    const now = this.#clock.now()
    // Much too late: this page was frozen, and the answers wait behind this timer. The server decides whether the session lives.
    if (now - due > this.#timeout / 3) this.#heardAt = now
    const silence = now - this.#heardAt
    if (silence >= (this.#timeout * 2) / 3) {
      this.#terms.silent(silence)
      return
    }
    if (now - this.#sentAt >= this.#timeout / 3) this.#terms.ping()
    this.#schedule()
  }
}
