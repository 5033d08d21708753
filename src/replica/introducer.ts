import type { ReplicaId } from '../base/ids.ts'
import type { Introduction } from '../transport/introduction.ts'
import type { IntroducingLink } from '../transport/peer-link.ts'

/** Members asked to pass on what is for one whom we know no way to, or for everybody. */
const ASKED_MAX = 2
/** Ways remembered. */
const WAYS_MAX = 256
/** What one member may have us pass on: so many at once, and so many a second afterwards. */
const BURST = 400
const PER_SECOND = 40

interface Neighbour {
  readonly link: IntroducingLink
  left: number
  filledAt: number
}

/**
 * Members introduce members to each other: what a page says goes over its links, and one hop further. So an ensemble that runs needs
 * no signaling server, and whoever has one link soon has the others.
 */
export class Introducer {
  readonly #self: ReplicaId
  readonly #now: () => number
  readonly #heard: (text: string) => void
  readonly #neighbours = new Map<ReplicaId, Neighbour>()
  /** Voters are linked to each other; an observer may be linked to us alone. */
  #voters: ReadonlySet<ReplicaId> = new Set()
  /** Over whom somebody was last heard. */
  readonly #ways = new Map<ReplicaId, ReplicaId>()

  /** `heard`: what is for our page. */
  constructor(self: ReplicaId, now: () => number, heard: (text: string) => void) {
    this.#self = self
    this.#now = now
    this.#heard = heard
  }

  /** After the replica: its end is heard here too. */
  linkOpened(link: IntroducingLink): void {
    const neighbour = { link, left: BURST, filledAt: this.#now() }
    // The latest is asked first: it may be the only one that lives.
    this.#neighbours.delete(link.peer)
    this.#neighbours.set(link.peer, neighbour)
    link.onintroduction = (introduction) => this.#introduced(neighbour, introduction)
    const closed = link.onclose
    link.onclose = (reason, bad) => {
      if (this.#neighbours.get(link.peer) === neighbour) this.#neighbours.delete(link.peer)
      closed?.(reason, bad)
    }
  }

  /** The newest configuration. */
  set voters(voters: readonly ReplicaId[]) {
    this.#voters = new Set(voters)
  }

  /** Our page says something to everybody (null) or to one. Nothing happens where nobody is linked. */
  say(to: ReplicaId | null, text: string): void {
    const introduction = { from: this.#self, to, forward: true, text }
    const way = to === null ? undefined : this.#neighbours.get(this.#ways.get(to) ?? to)
    if (way !== undefined) return way.link.introduce(introduction)
    const latest = [...this.#neighbours.values()].reverse()
    const votes = ({ link }: Neighbour): number => Number(this.#voters.has(link.peer))
    for (const { link } of latest.sort((a, b) => votes(b) - votes(a)).slice(0, ASKED_MAX)) link.introduce(introduction)
  }

  #introduced(by: Neighbour, { from, to, forward, text }: Introduction): void {
    if (from === this.#self) return
    this.#remember(from, by.link.peer)
    if (to === null || to === this.#self) this.#heard(text)
    if (!forward || to === this.#self || !this.#allows(by)) return
    const further = { from, to, forward: false, text }
    if (to !== null) return this.#neighbours.get(to)?.link.introduce(further)
    for (const [peer, { link }] of this.#neighbours) if (peer !== from && link !== by.link) link.introduce(further)
  }

  #remember(who: ReplicaId, over: ReplicaId): void {
    this.#ways.delete(who)
    this.#ways.set(who, over)
    const oldest = this.#ways.keys().next()
    if (this.#ways.size > WAYS_MAX && !oldest.done) this.#ways.delete(oldest.value)
  }

  #allows(by: Neighbour): boolean {
    const now = this.#now()
    by.left = Math.min(BURST, by.left + ((now - by.filledAt) / 1000) * PER_SECOND)
    by.filledAt = now
    if (by.left < 1) return false
    by.left -= 1
    return true
  }
}
