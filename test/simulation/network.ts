import type { LinkId, ReplicaId } from '../../src/base/ids.ts'
import { DecodeError } from '../../src/jute/reader.ts'
import { decodeMessage, encodeMessage } from '../../src/transport/codec.ts'
import type { PeerLink } from '../../src/transport/peer-link.ts'
import type { PeerAbout } from '../../src/zab/facts.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Chance } from './chance.ts'
import type { Forger } from './forger.ts'
import { Violation } from './violation.ts'
import type { Owner, World } from './world.ts'

/** More than any life needs; a storm has no end. */
const MESSAGES_MAX = 1_000_000

/** One side of a network link as its host sees it. */
export interface Station extends Owner {
  readonly id: ReplicaId
  readonly about: PeerAbout
}

/** One end of a link: FIFO, encoded, delayed; silent while its pair is cut; gone at a reset. */
class End implements PeerLink {
  readonly link: LinkId
  readonly bufferedBytes = 0
  sent = 0
  received = 0
  onmessages: ((messages: readonly Message[]) => void) | null = null
  onclose: ((reason: string, bad: boolean) => void) | null = null
  readonly #wire: Wire
  readonly self: Station
  readonly other: Station
  lastAt = 0
  open = true
  /** On their way to this end, in order. */
  readonly arriving: (readonly Uint8Array[])[] = []
  /** Arrived before the host had this end. */
  readonly #early: (readonly Uint8Array[])[] = []
  #begun = false

  constructor(wire: Wire, link: LinkId, self: Station, other: Station) {
    this.#wire = wire
    this.link = link
    this.self = self
    this.other = other
  }

  get peer(): ReplicaId {
    return this.other.id
  }

  get about(): PeerAbout {
    const { about } = this.other
    return { ...about, version: Math.min(about.version ?? 1, this.self.about.version ?? 1) }
  }

  send(messages: readonly Message[]): void {
    if (!this.open || !this.#wire.leaves(this, messages)) return
    this.sent += messages.length
    this.#wire.carry(
      this,
      this.#wire.forge(
        this,
        messages.map((message) => encodeMessage(message)),
      ),
    )
  }

  sendStream(messages: Iterable<Message>): void {
    for (const message of messages) this.send([message])
  }

  close(reason: string): void {
    if (!this.open) return
    this.open = false
    this.#wire.closed(this, reason)
  }

  deliver(frames: readonly Uint8Array[]): void {
    if (!this.open) return
    if (!this.#begun) return void this.#early.push(frames)
    this.received += frames.length
    let messages: Message[]
    try {
      messages = frames.map((frame) => decodeMessage(frame))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      // As FramedPeerLink: one bad frame ends this link and nothing else.
      this.close(`BadPeer: ${error.message}`)
      this.onclose?.(`BadPeer: ${error.message}`, true)
      return
    }
    this.onmessages?.(messages)
  }

  begin(): void {
    this.#begun = true
    for (const frames of this.#early.splice(0)) this.deliver(frames)
  }

  lost(reason: string): void {
    if (!this.open) return
    this.open = false
    this.onclose?.(reason, false)
  }
}

/** A link between two replicas: two ends and what is on its way. */
class Wire {
  readonly ends: readonly [End, End]
  readonly #network: Network
  /** Messages held back while the pair is cut. */
  #held: { readonly from: End; readonly to: End; readonly frames: readonly Uint8Array[] }[] = []
  dead = false

  constructor(network: Network, a: Station, b: Station, links: readonly [LinkId, LinkId]) {
    this.#network = network
    this.ends = [new End(this, links[0], a, b), new End(this, links[1], b, a)]
  }

  leaves(from: End, messages: readonly Message[]): boolean {
    this.#network.sent += messages.length
    if (this.#network.sent > MESSAGES_MAX) throw new Violation('I11', `${this.#network.sent} messages: a storm`)
    return this.#network.onSend(from.self.id, from.other.id, messages)
  }

  forge(from: End, frames: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.#network.forger?.frames(from.self.id, from.other.id, frames) ?? frames
  }

  carry(from: End, frames: readonly Uint8Array[]): void {
    const to = this.#opposite(from)
    if (this.#network.isCut(from.self.id, to.self.id)) this.#held.push({ from, to, frames })
    else this.#schedule(from, to, frames)
  }

  #schedule(from: End, to: End, frames: readonly Uint8Array[]): void {
    const { world } = this.#network
    const at = Math.max(from.lastAt, world.now + this.#network.latency())
    from.lastAt = at
    to.arriving.push(frames)
    world.at(at, to.self, () => {
      const frames = to.arriving.shift()
      if (this.dead || frames === undefined) return
      world.note(frames.length + (frames[0]?.[1] ?? 0) * 31 + to.self.id)
      to.deliver(frames)
    })
  }

  /** What was held of this way, or of both, goes on. */
  heal(from: ReplicaId | null, to: ReplicaId | null): void {
    const held = this.#held
    this.#held = []
    for (const one of held) {
      if (from !== null && (one.from.self.id !== from || one.to.self.id !== to)) this.#held.push(one)
      else this.#schedule(one.from, one.to, one.frames)
    }
  }

  closed(end: End, reason: string): void {
    const other = this.#opposite(end)
    this.#network.world.after(this.#network.latency(), other.self, () => this.lose(other, reason))
    this.#network.gone(this)
  }

  lose(end: End, reason: string): void {
    end.lost(reason)
  }

  #opposite(end: End): End {
    return end === this.ends[0] ? this.ends[1] : this.ends[0]
  }
}

/** Links between replicas, and what befalls them. */
export class Network {
  readonly world: World
  readonly #wires = new Set<Wire>()
  /** How many cuts lie on each way. */
  readonly #cuts = new Map<string, number>()
  forger: Forger | null = null
  /** Messages of this life. */
  sent = 0
  /** Somebody is about to send; false: it cannot. */
  onSend: (from: ReplicaId, to: ReplicaId, messages: readonly Message[]) => boolean = () => true
  readonly #latencyMin: number
  readonly #latencyMean: number
  readonly #chance: Chance
  #nextLink = 1

  constructor(world: World, latencyMin: number, latencyMean: number) {
    this.world = world
    this.#chance = world.chance('net')
    this.#latencyMin = latencyMin
    this.#latencyMean = latencyMean
  }

  latency(): number {
    return this.#latencyMin + this.#chance.exp(this.#latencyMean)
  }

  isCut(from: ReplicaId, to: ReplicaId): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from} ${to}`)
  }

  connected(a: ReplicaId, b: ReplicaId): boolean {
    return [...this.#wires].some(({ ends }) => {
      const ids = [ends[0].self.id, ends[1].self.id]
      return ids.includes(a) && ids.includes(b) && ends[0].open && ends[1].open
    })
  }

  /** A new link; an older one of the same pair may still be half open. */
  connect(a: Station, b: Station, opened: (station: Station, link: PeerLink) => void): void {
    const wire = new Wire(this, a, b, [this.#nextLink++ as LinkId, this.#nextLink++ as LinkId])
    this.#wires.add(wire)
    for (const end of wire.ends) {
      this.world.after(this.latency(), end.self, () => {
        opened(end.self, end)
        end.begin()
      })
    }
  }

  gone(wire: Wire): void {
    this.#wires.delete(wire)
  }

  /** From here on `from` is not heard by `to`; nothing is lost, nobody is told. */
  cut(from: ReplicaId, to: ReplicaId): void {
    const way = `${from} ${to}`
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1)
  }

  /** One cut of this way is over; the last one lets through what was held. */
  mend(from: ReplicaId, to: ReplicaId): void {
    const way = `${from} ${to}`
    const cuts = this.#cuts.get(way)
    if (cuts === undefined) return
    if (cuts > 1) return void this.#cuts.set(way, cuts - 1)
    this.#cuts.delete(way)
    for (const wire of this.#wires) wire.heal(from, to)
  }

  heal(): void {
    this.#cuts.clear()
    for (const wire of this.#wires) wire.heal(null, null)
  }

  /** What is on its way is lost; each side learns of it in its own time. */
  reset(a: ReplicaId, b: ReplicaId, noticed: () => number): void {
    for (const wire of this.#wires) {
      const ids = wire.ends.map((end) => end.self.id)
      if (!ids.includes(a) || !ids.includes(b)) continue
      wire.dead = true
      this.#wires.delete(wire)
      for (const end of wire.ends) this.world.after(noticed(), end.self, () => wire.lose(end, 'reset'))
    }
  }

  /** This replica is no more: its links go silent (what it had sent still arrives, or not), and the others learn of it in their own time. */
  crashed(id: ReplicaId, noticed: () => number, arrives = false): void {
    for (const wire of this.#wires) {
      const dead = wire.ends.find((end) => end.self.id === id)
      if (dead === undefined) continue
      dead.open = false
      wire.dead = !arrives
      this.#wires.delete(wire)
      const other = wire.ends.find((end) => end !== dead) as End
      this.world.at(Math.max(dead.lastAt, this.world.now + noticed()), other.self, () =>
        wire.lose(other, 'peer crashed'),
      )
    }
  }
}
