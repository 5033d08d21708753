import type { ReplicaId } from '../base/ids.ts'
import type { Stands } from '../signaling/signal.ts'
import { partnersOf, type Standing } from './partners.ts'

/** What the page's mesh must do, in this order. */
export type MeshOrder =
  /** Tell the topic that we are here. */
  | { readonly kind: 'announce' }
  /** Tell one member the same. */
  | { readonly kind: 'answer'; readonly to: ReplicaId }
  /** Ask it to dial us: we need it, and it has the larger id. */
  | { readonly kind: 'call'; readonly to: ReplicaId }
  /** Open a connection as its initiator, or as the other side. */
  | { readonly kind: 'dial' | 'accept'; readonly peer: ReplicaId; readonly attempt: number }
  | { readonly kind: 'hangUp'; readonly peer: ReplicaId; readonly attempt: number; readonly reason: string }

/** Times are milliseconds. */
export const DIALING = {
  /** Members that hear nothing new learn in this time who is here. */
  announceEvery: 10_000,
  /** Hidden pages negotiate at one step a second, so nothing below ten seconds may count as failed. */
  connectWithin: 20_000,
  /** The pause after the first failure; doubles up to the second figure. Half of it is jitter. */
  backoffMin: 200,
  backoffMax: 15_000,
  /** A link that lived this long was a good one: its end is no reason for a longer pause. An observer lets go then of what it does not need. */
  steady: 10_000,
  /** An unlinked member that nobody heard of for this long is not dialled any more. */
  forgetAfter: 60_000,
  /** A call holds for so long, and is repeated after it. */
  callFor: 2000,
  /** Nobody who is not needed is told more often that we are here. */
  answerEvery: 60_000,
  /** Members known at once, and remembered as gone. */
  peersMax: 256,
  /** Connections at once, but for those between voters: a browser has room for some hundreds. */
  linksMax: 64,
} as const

/** Why an attempt ends that took longer than `connectWithin`. */
export const LATE = 'not connected in time'

interface Call {
  readonly attempt: number
  /** When it was dialled or accepted; when it opened, once it is open. */
  since: number
  open: boolean
}

interface Peer {
  incarnation: number
  heardAt: number
  stands: Stands | null
  readonly draw: number
  /** When it called us last, and when we may call it. */
  calledAt: number
  callAt: number
  answeredAt: number
  call: Call | null
  /** The highest attempt seen from this incarnation: older ones are over. */
  lastAttempt: number
  failures: number
  retryAt: number
}

/**
 * Who dials whom, and when: whoever needs a link (see partners) has it dialled by the pair's larger id (no glare), and calls that one if it
 * cannot know. Facts in, orders out; it knows no clock, no chance and no WebRTC. Attempts are numbered by the dialer and rise, from a
 * random start, so that signals of an earlier page of the same replica fit none of them.
 */
export class Dialing {
  readonly #self: ReplicaId
  readonly #chance: () => number
  readonly #peers = new Map<ReplicaId, Peer>()
  /** The incarnation up to which a member is gone for good. */
  readonly #gone = new Map<ReplicaId, number>()
  #nextAttempt: number
  #announceAt = 0
  /** Null until the replica has said it: until then as if it voted. */
  #standing: Standing | null = null
  /** Since when it follows somebody, or nobody. */
  #since = 0

  /** `chance` gives numbers in [0, 1). */
  constructor(self: ReplicaId, chance: () => number) {
    this.#self = self
    this.#chance = chance
    this.#nextAttempt = 1 + Math.floor(chance() * 2 ** 31)
  }

  /** The replica's part has changed. */
  stands(standing: Standing, now: number): void {
    const settled = (one: Standing | null): boolean => one?.serving === true
    if (this.#standing === null || settled(standing) !== settled(this.#standing)) this.#since = now
    // The others choose by it.
    if (standing.stands !== this.#standing?.stands) this.#announceAt = now
    this.#standing = standing
  }

  /** What others are told of it. */
  get part(): Stands {
    return this.#standing?.stands ?? 'observes'
  }

  /** A member said that it is here; `asked`: it wants to know who else is; `called`: it needs us to dial. */
  heard(
    from: ReplicaId,
    incarnation: number,
    asked: boolean,
    now: number,
    stands: Stands | null = null,
    called = false,
  ): MeshOrder[] {
    const orders: MeshOrder[] = []
    const peer = this.#meet(from, incarnation, now, orders)
    if (peer === null) return orders
    peer.stands = stands
    if (called) peer.calledAt = now
    const needed = this.#needed(now)
    if (asked && peer.call?.open !== true && this.#answers(from, peer, needed, now)) {
      peer.answeredAt = now
      orders.push({ kind: 'answer', to: from })
    }
    this.#dialIfDue(from, peer, needed, now, orders)
    return orders
  }

  /** A step of an attempt came. Pass it on to the connection of that attempt if `current` says so afterwards. */
  rang(from: ReplicaId, incarnation: number, attempt: number, now: number): MeshOrder[] {
    const orders: MeshOrder[] = []
    const peer = this.#meet(from, incarnation, now, orders)
    if (peer === null || this.#dials(from) || attempt <= peer.lastAttempt || this.#full(peer)) return orders
    if (peer.call !== null) orders.push(hangUp(from, peer.call, 'the other side dialled anew'))
    peer.call = { attempt, since: now, open: false }
    peer.lastAttempt = attempt
    orders.push({ kind: 'accept', peer: from, attempt })
    return orders
  }

  /** Is this the attempt that counts between us and `peer`? */
  current(peer: ReplicaId, attempt: number): boolean {
    return this.#peers.get(peer)?.call?.attempt === attempt
  }

  /** The link of this attempt is in use. */
  opened(from: ReplicaId, attempt: number, now: number): void {
    const call = this.#peers.get(from)?.call
    if (call?.attempt !== attempt) return
    call.open = true
    call.since = now
  }

  /** The attempt failed, or its link closed. `refused`: by an answer that will not soon be another one. */
  closed(from: ReplicaId, attempt: number, refused: boolean, now: number): void {
    const peer = this.#peers.get(from)
    if (peer?.call?.attempt !== attempt) return
    if (peer.call.open && now - peer.call.since >= DIALING.steady) peer.failures = 0
    peer.call = null
    const pause = Math.min(DIALING.backoffMax, refused ? DIALING.backoffMax : DIALING.backoffMin * 2 ** peer.failures)
    peer.retryAt = now + pause * (0.5 + this.#chance() / 2)
    peer.failures += 1
  }

  /** This incarnation (null: the one we know) said goodbye, or its lock was granted to somebody. */
  gone(from: ReplicaId, incarnation: number | null, reason: string): MeshOrder[] {
    const peer = this.#peers.get(from)
    if (peer === undefined && incarnation === null) return []
    const last = incarnation ?? peer?.incarnation ?? 0
    this.#gone.delete(from)
    this.#gone.set(from, last)
    const oldest = this.#gone.keys().next()
    if (this.#gone.size > DIALING.peersMax && !oldest.done) this.#gone.delete(oldest.value)
    if (peer === undefined || peer.incarnation > last) return []
    this.#peers.delete(from)
    return peer.call === null ? [] : [hangUp(from, peer.call, reason)]
  }

  /** Time passed. */
  ticked(now: number): MeshOrder[] {
    const orders: MeshOrder[] = []
    if (now >= this.#announceAt) {
      this.#announceAt = now + DIALING.announceEvery * (0.75 + this.#chance() / 2)
      orders.push({ kind: 'announce' })
    }
    const needed = this.#needed(now)
    const letsGo = this.#standing?.stands === 'observes' && this.#standing.serving && this.#steady(this.#since, now)
    for (const [id, peer] of this.#peers) {
      const call = peer.call
      if (call?.open === true && letsGo && !needed.has(id) && this.#steady(call.since, now)) {
        orders.push(hangUp(id, call, 'not needed'))
        this.closed(id, call.attempt, false, now)
      }
      if (call !== null && !call.open && now - call.since >= DIALING.connectWithin) {
        orders.push(hangUp(id, call, LATE))
        this.closed(id, call.attempt, false, now)
      }
      if (peer.call === null && now - peer.heardAt >= DIALING.forgetAfter) this.#peers.delete(id)
      else this.#dialIfDue(id, peer, needed, now, orders)
    }
    return orders
  }

  /** The members that have no open link yet, and need one. */
  connecting(now = this.#since): ReplicaId[] {
    const needed = this.#needed(now)
    return [...this.#peers]
      .filter(([id, { call }]) => call?.open !== true && (call !== null || needed.has(id)))
      .map(([id]) => id)
  }

  /** Whom we need a link to. */
  needs(peer: ReplicaId, now: number): boolean {
    return this.#needed(now).has(peer)
  }

  #needed(now: number): ReadonlySet<ReplicaId> {
    const standing = this.#standing
    if (standing === null) return new Set(this.#peers.keys())
    const others = [...this.#peers].map(([id, { stands, call, failures, draw }]) => ({
      id,
      stands,
      open: call?.open === true,
      failures,
      draw,
    }))
    return partnersOf(standing, others, now - this.#since)
  }

  /** Voters tell whoever asks, as observers need them; observers tell newcomers, who may know nobody else. */
  #answers(from: ReplicaId, peer: Peer, needed: ReadonlySet<ReplicaId>, now: number): boolean {
    return this.#standing?.stands !== 'observes' || needed.has(from) || now - peer.answeredAt >= DIALING.answerEvery
  }

  #steady = (since: number, now: number): boolean => now - since >= DIALING.steady

  #full(peer: Peer): boolean {
    if (peer.stands !== 'observes' && this.#standing?.stands !== 'observes') return false
    let calls = 0
    for (const { call } of this.#peers.values()) if (call !== null) calls++
    return calls >= DIALING.linksMax
  }

  #meet(from: ReplicaId, incarnation: number, now: number, orders: MeshOrder[]): Peer | null {
    if (from === this.#self || incarnation <= (this.#gone.get(from) ?? -1)) return null
    const known = this.#peers.get(from)
    if (known !== undefined && incarnation < known.incarnation) return null
    if (known !== undefined && incarnation === known.incarnation) {
      known.heardAt = now
      return known
    }
    if (known === undefined && this.#peers.size >= DIALING.peersMax) return null
    if (known?.call) orders.push(hangUp(from, known.call, 'it started anew'))
    const peer: Peer = {
      incarnation,
      heardAt: now,
      stands: null,
      draw: this.#chance(),
      calledAt: Number.NEGATIVE_INFINITY,
      // Voters know of each other that they need each other.
      callAt: now + (this.#standing?.stands === 'observes' ? 0 : DIALING.callFor),
      answeredAt: Number.NEGATIVE_INFINITY,
      call: null,
      lastAttempt: 0,
      failures: 0,
      retryAt: now,
    }
    this.#peers.set(from, peer)
    return peer
  }

  #dials(peer: ReplicaId): boolean {
    return this.#self > peer
  }

  #dialIfDue(id: ReplicaId, peer: Peer, needed: ReadonlySet<ReplicaId>, now: number, orders: MeshOrder[]): void {
    if (peer.call !== null || now < peer.retryAt || this.#full(peer)) return
    if (!this.#dials(id)) {
      if (!needed.has(id) || now < peer.callAt) return
      peer.callAt = now + DIALING.callFor
      orders.push({ kind: 'call', to: id })
      return
    }
    if (!needed.has(id) && now - peer.calledAt >= DIALING.callFor) return
    const attempt = this.#nextAttempt++
    peer.call = { attempt, since: now, open: false }
    peer.lastAttempt = attempt
    orders.push({ kind: 'dial', peer: id, attempt })
  }
}

const hangUp = (peer: ReplicaId, call: Call, reason: string): MeshOrder => ({
  kind: 'hangUp',
  peer,
  attempt: call.attempt,
  reason,
})
