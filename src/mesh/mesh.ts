import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Negotiation, Signal } from '../signaling/signal.ts'
import type { MemberSignaling } from '../signaling/signaling.ts'
import { Dialing, LATE, type MeshOrder } from './dialing.ts'
import { Fingerprints } from './fingerprints.ts'
import { handOver, type WorkerEnds } from './hand-over.ts'
import type { Standing } from './partners.ts'
import type { OpenPair, RtcPair } from './rtc-pair.ts'

export interface MeshOptions {
  readonly topic: string
  readonly ensemble: EnsembleId
  readonly self: ReplicaId
  readonly incarnation: number
  readonly signaling: MemberSignaling
  /** Asked for each connection, which waits for the answer. Never rejects. */
  readonly iceServers: () => readonly RTCIceServer[] | Promise<readonly RTCIceServer[]>
  readonly openPair: OpenPair
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** In [0, 1). */
  readonly chance: () => number
}

export interface MeshListener {
  /** An attempt's channels, for the worker. Must post them before it returns; rejects if they cannot be posted. */
  deliver(peer: ReplicaId, attempt: number, ends: WorkerEnds): Promise<void>
  /** Both sides of an attempt have described themselves: what its link runs over. */
  bound(peer: ReplicaId, attempt: number, binding: LinkBinding): void
  /** A member of our ensemble said something that is not about connecting. */
  heard(signal: Extract<Signal, { kind: 'bye' | 'sessionOpened' | 'sessionEnded' | 'stepDown' }>): void
  /** A member of another ensemble of the same name. */
  stranger(ensemble: EnsembleId): void
  /** `NoPath`: both sides heard each other out, and yet no connection came about. */
  notice(code: 'LinkFailed' | 'NoPath', message: string, peer?: ReplicaId): void
}

type Word =
  | { readonly kind: 'sessionOpened' | 'sessionEnded'; readonly session: string }
  | { readonly kind: 'stepDown'; readonly to: ReplicaId }

export interface LinkBinding {
  /** Did we dial? */
  readonly dialed: boolean
  /** DTLS fingerprints. */
  readonly mine: string
  readonly theirs: string
}

interface Line {
  readonly attempt: number
  readonly pair: RtcPair
  readonly fingerprints: Fingerprints
  transferred: boolean
  /** Did the worker ever shake hands over it? */
  opened: boolean
}

const PATHLESS_MAX = 256
/** What an attempt is told while it waits for its ICE servers: a description and some candidates. */
const STEPS_MAX = 64

/** An attempt that waits for its ICE servers. */
interface Waiting {
  readonly attempt: number
  /** What the other side has said meanwhile. */
  readonly steps: Negotiation[]
}

/**
 * The page's wires. It connects members pairwise and gives their channels away to the worker; it never reads what runs through
 * them, and it has no timers (hidden pages throttle them): the worker's ticks drive it.
 */
export class Mesh {
  readonly #options: MeshOptions
  readonly #listener: MeshListener
  readonly #dialing: Dialing
  /** Strong references: a collected connection is a closed one. */
  readonly #lines = new Map<ReplicaId, Line>()
  readonly #waiting = new Map<ReplicaId, Waiting>()
  /** Members that were told to be out of reach. */
  readonly #pathless = new Set<ReplicaId>()
  #open = true

  constructor(options: MeshOptions, listener: MeshListener) {
    this.#options = options
    this.#listener = listener
    this.#dialing = new Dialing(options.self, options.chance)
  }

  async join(): Promise<void> {
    const { signaling, topic, self } = this.#options
    signaling.onreach = () => this.#carryOut([{ kind: 'announce' }])
    await signaling.join(topic, (signal) => this.#hear(signal), self)
    await signaling.prepare({ ...this.#head(), kind: 'bye' })
    this.ticked()
  }

  ticked(): void {
    if (this.#open) this.#carryOut(this.#dialing.ticked(this.#options.now()))
  }

  /** The replica's part in the ensemble: by it we know whom we need links to. */
  stands(standing: Standing): void {
    if (!this.#open) return
    this.#dialing.stands(standing, this.#options.now())
    this.ticked()
  }

  /** The worker shook hands over the link of this attempt. */
  linkOpened(peer: ReplicaId, attempt: number): void {
    this.#dialing.opened(peer, attempt, this.#options.now())
    const line = this.#lines.get(peer)
    if (line?.attempt !== attempt) return
    line.opened = true
    this.#pathless.delete(peer)
  }

  /** The worker's end of the link closed: so does the connection. */
  linkClosed(peer: ReplicaId, attempt: number, refused: boolean): void {
    if (!this.#dialing.current(peer, attempt)) return
    this.#dialing.closed(peer, attempt, refused, this.#options.now())
    this.#hangUp(peer, attempt)
  }

  /** The worker found the peer's lock free. */
  peerGone(peer: ReplicaId, reason: string): void {
    this.#carryOut(this.#dialing.gone(peer, null, reason))
  }

  /** Something that is not about connecting, in our name. */
  tell(word: Word): void {
    this.#send({ ...this.#head(), ...word })
  }

  /** This will be told when the page is left, when there is time for nothing. */
  prepare(word: { readonly kind: 'sessionEnded'; readonly session: string }): Promise<void> {
    return this.#options.signaling.prepare({ ...this.#head(), ...word })
  }

  /** Members without an open link, and whether the others' channels run in the worker. */
  status(): { readonly connecting: readonly ReplicaId[]; readonly transferred: ReadonlyMap<ReplicaId, boolean> } {
    const transferred = new Map([...this.#lines].map(([peer, line]) => [peer, line.transferred] as const))
    return { connecting: this.#dialing.connecting(this.#options.now()), transferred }
  }

  /** Says goodbye and closes every connection before it returns. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    for (const line of this.#lines.values()) line.pair.close()
    this.#lines.clear()
    this.#waiting.clear()
    this.#send({ ...this.#head(), kind: 'bye' })
    this.#options.signaling.leave()
  }

  #hear(signal: Signal): void {
    if (!this.#open || signal.from === this.#options.self) return
    if (signal.kind === 'seek') return this.#carryOut([{ kind: 'answer', to: signal.from }])
    if (signal.ensemble !== this.#options.ensemble) {
      // So that both sides know at once.
      if (signal.kind === 'announce') this.#carryOut([{ kind: 'answer', to: signal.from }])
      if (!('to' in signal) || signal.to === this.#options.self) this.#listener.stranger(signal.ensemble)
      return
    }
    if ('to' in signal && signal.to !== this.#options.self) return
    const now = this.#options.now()
    switch (signal.kind) {
      case 'announce':
      case 'here':
        return this.#carryOut(
          this.#dialing.heard(
            signal.from,
            signal.incarnation,
            signal.kind === 'announce',
            now,
            signal.stands ?? null,
            signal.kind === 'here' && signal.call === true,
          ),
        )
      case 'signal':
        this.#carryOut(this.#dialing.rang(signal.from, signal.incarnation, signal.attempt, now))
        if (this.#dialing.current(signal.from, signal.attempt)) this.#step(signal.from, signal.attempt, signal.data)
        return
      case 'bye':
        this.#carryOut(this.#dialing.gone(signal.from, signal.incarnation, 'it said goodbye'))
        return this.#listener.heard(signal)
      case 'full':
        // For clients.
        return
      default:
        return this.#listener.heard(signal)
    }
  }

  #carryOut(orders: readonly MeshOrder[]): void {
    const stands = this.#dialing.part
    for (const order of orders) {
      switch (order.kind) {
        case 'announce':
          this.#send({ ...this.#head(), kind: 'announce', stands })
          break
        case 'answer':
          this.#send({ ...this.#head(), kind: 'here', to: order.to, stands }, order.to)
          break
        case 'call':
          this.#send({ ...this.#head(), kind: 'here', to: order.to, stands, call: true }, order.to)
          break
        case 'hangUp':
          if (order.reason === LATE) this.#noPath(order.peer, order.attempt)
          this.#hangUp(order.peer, order.attempt)
          break
        default:
          this.#connect(order.peer, order.attempt, order.kind === 'dial')
      }
    }
  }

  #step(peer: ReplicaId, attempt: number, step: Negotiation): void {
    const waiting = this.#waiting.get(peer)
    if (waiting?.attempt === attempt) {
      if (waiting.steps.length < STEPS_MAX) waiting.steps.push(step)
      return
    }
    const line = this.#lines.get(peer)
    line?.fingerprints.theirs(step)
    line?.pair.signal(step)
  }

  #connect(peer: ReplicaId, attempt: number, initiator: boolean): void {
    const servers = this.#options.iceServers()
    if (!(servers instanceof Promise)) return this.#pair(peer, attempt, initiator, servers)
    const waiting: Waiting = { attempt, steps: [] }
    this.#waiting.set(peer, waiting)
    void servers.then((known) => {
      if (this.#waiting.get(peer) !== waiting) return
      this.#waiting.delete(peer)
      this.#pair(peer, attempt, initiator, known)
      for (const step of waiting.steps) this.#step(peer, attempt, step)
    })
  }

  #pair(peer: ReplicaId, attempt: number, initiator: boolean, servers: readonly RTCIceServer[]): void {
    const failed = (reason: string) => {
      if (!this.#dialing.current(peer, attempt)) return
      const now = this.#options.now()
      const letGo = this.#lines.get(peer)?.opened === true && !this.#dialing.needs(peer, now)
      this.#dialing.closed(peer, attempt, false, now)
      // By its own word: a connection that the other side closed had a path. An observer that needs us no more is no failure.
      if (!letGo && !(/failed/i.test(reason) && this.#noPath(peer, attempt)))
        this.#listener.notice('LinkFailed', reason, peer)
      this.#hangUp(peer, attempt)
    }
    let transferred = true
    const fingerprints = new Fingerprints((mine, theirs) =>
      this.#listener.bound(peer, attempt, { dialed: initiator, mine, theirs }),
    )
    const pair = this.#options.openPair(initiator, servers, {
      onchannels: (channels) => {
        handOver(channels, (ends) => this.#listener.deliver(peer, attempt, ends)).then(
          (how) => {
            transferred = how === 'transferred'
            const line = this.#lines.get(peer)
            if (line?.attempt === attempt) line.transferred = transferred
          },
          (error: unknown) => failed(`The channels could not be given to the worker: ${String(error)}`),
        )
      },
      onsignal: (data: Negotiation) => {
        if (!this.#dialing.current(peer, attempt)) return
        fingerprints.mine(data)
        this.#send({ ...this.#head(), kind: 'signal', to: peer, attempt, data }, peer)
      },
      onclose: failed,
    })
    this.#lines.set(peer, { attempt, pair, fingerprints, transferred, opened: false })
  }

  #hangUp(peer: ReplicaId, attempt: number): void {
    if (this.#waiting.get(peer)?.attempt === attempt) this.#waiting.delete(peer)
    const line = this.#lines.get(peer)
    if (line?.attempt !== attempt) return
    this.#lines.delete(peer)
    line.pair.close()
  }

  /** True: both sides heard each other out over this attempt, and it came to nothing. Said once, until a link to that member opens. */
  #noPath(peer: ReplicaId, attempt: number): boolean {
    const line = this.#lines.get(peer)
    if (line?.attempt !== attempt || !line.fingerprints.known || line.opened) return false
    if (this.#pathless.has(peer)) return true
    if (this.#pathless.size < PATHLESS_MAX) this.#pathless.add(peer)
    const message = `Replica ${peer} was introduced, but no path to it was found: between these two networks a TURN server is needed (iceServers).`
    this.#listener.notice('NoPath', message, peer)
    return true
  }

  #send(signal: Signal, to?: ReplicaId): void {
    this.#options.signaling.send(signal, to)
  }

  #head(): { readonly ensemble: EnsembleId; readonly from: ReplicaId; readonly incarnation: number } {
    return { ensemble: this.#options.ensemble, from: this.#options.self, incarnation: this.#options.incarnation }
  }
}
