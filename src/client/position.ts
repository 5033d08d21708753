import { ZXID_NONE, type Zxid } from '../base/zxid.ts'
import type { WatcherEvent } from '../jute/headers.ts'

/**
 * How far a client has seen the changes. A reply closes its zxid: all events up to it came before. An event leaves its own open, for one
 * txn may have several, and the connection may end between them; so what is heard again of that one is left out.
 */
export class Position {
  /** Of the last reply. */
  #closed: Zxid = ZXID_NONE
  #open: Zxid = ZXID_NONE
  readonly #told = new Map<string, number>()
  readonly #repeats = new Map<string, number>()

  get lastZxid(): Zxid {
    return this.#closed
  }

  /** All events up to here were told. */
  get resumeFrom(): Zxid {
    return this.#open > this.#closed ? ((this.#open - 1) as Zxid) : this.#closed
  }

  replied(zxid: Zxid): void {
    this.#closed = zxid
    if (this.#open <= zxid) this.#begin(ZXID_NONE)
  }

  /** A new connection goes on from `resumeFrom`. */
  resumed(): void {
    this.#repeats.clear()
    for (const [event, times] of this.#told) this.#repeats.set(event, times)
  }

  /** False: told before. Servers before 3.9 give events no zxid; those are always new. */
  isNews({ type, path }: WatcherEvent, zxid: number): boolean {
    if (zxid <= this.#closed) return true
    if (zxid !== this.#open) this.#begin(zxid as Zxid)
    const event = `${type} ${path}`
    const repeats = this.#repeats.get(event) ?? 0
    if (repeats > 0) {
      this.#repeats.set(event, repeats - 1)
      return false
    }
    this.#told.set(event, (this.#told.get(event) ?? 0) + 1)
    return true
  }

  #begin(zxid: Zxid): void {
    this.#open = zxid
    this.#told.clear()
    this.#repeats.clear()
  }
}
