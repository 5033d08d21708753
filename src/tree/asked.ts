import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'

interface Asked {
  readonly zxid: Zxid
  readonly session: SessionId
  readonly number: number
}

/** Request numbers that are prepared and not applied yet: the leader's, beside Replies. */
export class AskedNumbers {
  readonly #bySession = new Map<SessionId, Set<number>>()
  /** Ascending zxids. */
  #order: Asked[] = []
  #applied = 0

  has(session: SessionId, number: number): boolean {
    return this.#bySession.get(session)?.has(number) ?? false
  }

  add(zxid: Zxid, session: SessionId, number: number): void {
    this.#order.push({ zxid, session, number })
    const numbers = this.#bySession.get(session)
    if (numbers === undefined) this.#bySession.set(session, new Set([number]))
    else numbers.add(number)
  }

  /** Another line begins: its numbers have nothing to do with those before. */
  forget(session: SessionId): void {
    if (!this.#bySession.delete(session)) return
    this.#order = this.#order.slice(this.#applied).filter((one) => one.session !== session)
    this.#applied = 0
  }

  /** Everything up to `zxid` is in the state now. */
  applied(zxid: Zxid): void {
    for (let one = this.#order[this.#applied]; one !== undefined && one.zxid <= zxid; ) {
      const numbers = this.#bySession.get(one.session)
      if (numbers?.delete(one.number) && numbers.size === 0) this.#bySession.delete(one.session)
      one = this.#order[++this.#applied]
    }
    if (this.#applied * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#applied)
      this.#applied = 0
    }
  }
}
