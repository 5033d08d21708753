import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Negotiation, Signal, Stands } from '../signaling/signal.ts'
import type { MemberSignaling } from '../signaling/signaling.ts'
import { type ChannelPipe, channelPipe } from './channel-pipe.ts'
import { DIALING } from './dialing.ts'
import type { OpenPair, RtcPair } from './rtc-pair.ts'

export interface DoorParts {
  /** Of the clients' room. */
  readonly topic: string
  readonly ensemble: EnsembleId
  readonly self: ReplicaId
  readonly incarnation: number
  readonly signaling: MemberSignaling
  readonly iceServers: () => readonly RTCIceServer[] | Promise<readonly RTCIceServer[]>
  readonly openPair: OpenPair
  /** Monotonic milliseconds. */
  readonly now: () => number
}

interface Visit {
  readonly attempt: number
  readonly since: number
  pair: RtcPair | null
  /** Said before there was a pair. */
  readonly steps: Negotiation[]
  open: boolean
}

const STEPS_MAX = 64

/**
 * Where a member lets in pages that have no replica. What they send goes to the replica as a client's packets and nowhere else: no
 * link between members is ever made from here. It has no timers: the worker's ticks drive it.
 */
export class ClientDoor {
  readonly #parts: DoorParts
  readonly #admit: (pipe: ChannelPipe) => void
  readonly #visits = new Map<ReplicaId, Visit>()
  #stands: Stands | null = null
  #open = true

  /** `admit`: a client is connected. */
  constructor(parts: DoorParts, admit: (pipe: ChannelPipe) => void) {
    this.#parts = parts
    this.#admit = admit
  }

  async join(): Promise<void> {
    const { signaling, topic, self } = this.#parts
    await signaling.join(topic, (signal) => this.#hear(signal), self)
  }

  /** The replica's part in the ensemble; null: it serves nobody at the moment. */
  stands(stands: Stands | null): void {
    this.#stands = stands
  }

  ticked(): void {
    const now = this.#parts.now()
    for (const [client, visit] of this.#visits)
      if (!visit.open && now - visit.since > DIALING.connectWithin) this.#end(client, visit)
  }

  /** Closes every connection before it returns. */
  close(): void {
    this.#open = false
    for (const [client, visit] of this.#visits) this.#end(client, visit)
    this.#parts.signaling.leave()
  }

  #hear(signal: Signal): void {
    const { ensemble, self, incarnation, signaling } = this.#parts
    const client = signal.from
    if (!this.#open || client === self) return
    if (signal.kind === 'seek') {
      if (this.#stands === null) return
      if (this.#visits.size >= LIMITS.clientLinksMax) return this.#full(client)
      signaling.send({ kind: 'here', ensemble, from: self, incarnation, to: client, stands: this.#stands }, client)
    } else if (signal.kind === 'signal' && signal.to === self && signal.ensemble === ensemble)
      this.#step(client, signal.attempt, signal.data)
  }

  /** Else it would look for us as for one who is gone. */
  #full(client: ReplicaId): void {
    const { ensemble, self, incarnation, signaling } = this.#parts
    signaling.send({ kind: 'full', ensemble, from: self, incarnation, to: client }, client)
  }

  #step(client: ReplicaId, attempt: number, step: Negotiation): void {
    const known = this.#visits.get(client)
    if (known?.attempt === attempt) {
      if (known.pair !== null) known.pair.signal(step)
      else if (known.steps.length < STEPS_MAX) known.steps.push(step)
      return
    }
    if (step.type !== 'offer' || attempt < (known?.attempt ?? 0)) return
    if (known !== undefined) this.#end(client, known)
    if (this.#stands === null) return
    if (this.#visits.size >= LIMITS.clientLinksMax) return this.#full(client)
    const visit: Visit = { attempt, since: this.#parts.now(), pair: null, steps: [step], open: false }
    this.#visits.set(client, visit)
    void Promise.resolve(this.#parts.iceServers()).then((servers) => this.#welcome(client, visit, servers))
  }

  #welcome(client: ReplicaId, visit: Visit, servers: readonly RTCIceServer[]): void {
    if (this.#visits.get(client) !== visit) return
    const { ensemble, self, incarnation, signaling, openPair } = this.#parts
    const head = { kind: 'signal', ensemble, from: self, incarnation, to: client, attempt: visit.attempt } as const
    const pair = openPair(false, servers, {
      onchannels: ({ control }) => {
        const pipe = channelPipe(control)
        pipe.onclose = () => this.#end(client, visit)
        control.addEventListener('open', () => {
          visit.open = true
          this.#admit(pipe)
          // Whoever took it hears of its end; so must we.
          const told = pipe.onclose
          pipe.onclose = (reason) => {
            told?.(reason)
            this.#end(client, visit)
          }
        })
      },
      onsignal: (data) => signaling.send({ ...head, data }, client),
      onclose: () => this.#end(client, visit),
    })
    if (this.#visits.get(client) !== visit) return pair.close()
    visit.pair = pair
    for (const step of visit.steps.splice(0)) pair.signal(step)
  }

  #end(client: ReplicaId, visit: Visit): void {
    if (this.#visits.get(client) === visit) this.#visits.delete(client)
    visit.pair?.close()
  }
}
