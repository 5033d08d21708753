import { TIMES } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import type { ReplicaServer } from '../server/orders.ts'
import type { Fact } from '../zab/facts.ts'

type Digested = Extract<Fact, { kind: 'digested' }>

/** Looks at the tree's digest when the core wants to know: at one zxid, or with the heartbeat while this replica leads. */
export class DigestWatch {
  readonly #server: ReplicaServer
  #at: Zxid | null = null
  #seen: Digested | null = null
  #toldAt = 0
  #told = 0 as Zxid

  constructor(server: ReplicaServer) {
    this.#server = server
  }

  ask(zxid: Zxid): void {
    this.#at = zxid
    this.applied(this.#server.applied)
  }

  /** After each applied entry. */
  applied(zxid: Zxid): void {
    if (this.#at === null || zxid < this.#at) return
    if (zxid === this.#at) this.#seen = { kind: 'digested', zxid, digest: this.#server.digest }
    this.#at = null
  }

  /** What there is to tell in this turn. */
  take(leading: boolean, now: number): Digested | null {
    if (!leading) {
      this.#told = 0 as Zxid
      const seen = this.#seen
      this.#seen = null
      return seen
    }
    const { applied, digest } = this.#server
    if (applied === this.#told || now - this.#toldAt < TIMES.heartbeat) return null
    this.#told = applied
    this.#toldAt = now
    return { kind: 'digested', zxid: applied, digest }
  }
}
