import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Negotiation, Signal } from '../signaling/signal.ts'
import { NO_ENSEMBLE } from '../signaling/signal.ts'
import type { MemberSignaling } from '../signaling/signaling.ts'
import { type ChannelPipe, channelPipe } from './channel-pipe.ts'
import type { OpenPair, RtcPair } from './rtc-pair.ts'

export interface CallParts {
  /** Of the clients' room. */
  readonly topic: string
  /** Only members of this one; null: of the first that answers. */
  readonly ensemble: EnsembleId | null
  /** Drawn by chance for this page. */
  readonly self: ReplicaId
  readonly signaling: MemberSignaling
  readonly iceServers: () => readonly RTCIceServer[] | Promise<readonly RTCIceServer[]>
  readonly openPair: OpenPair
  /** Milliseconds. The function ends the wait. */
  readonly after: (ms: number, then: () => void) => () => void
  /** In [0, 1). */
  readonly chance: () => number
}

/** Times are milliseconds. */
const CALL = {
  /** The question is repeated, because a server may still be connecting. */
  seekEvery: 500,
  seekFor: 3000,
  /** The first answers are not waited for alone, or the fastest member would get all clients. */
  gather: 150,
  /** The same, while all who have answered have no place. */
  gatherPlaces: 1000,
  /** A member that answered and then cannot be reached. */
  connectWithin: 5000,
} as const

type Step = (attempt: number, step: Negotiation) => void

/** How a page without a replica gets its connection to a member, and the next one to another member when that one is gone. */
export class ClientCall {
  readonly #parts: CallParts
  #ensemble: EnsembleId | null
  #attempt: number
  #answered: ((member: ReplicaId, full: boolean) => void) | null = null
  #partner: { readonly member: ReplicaId; readonly step: Step; readonly full: () => void } | null = null
  /** Members that were tried since the last connection that worked: others go first. */
  readonly #tried = new Set<ReplicaId>()
  #hangUp: (() => void) | null = null

  constructor(parts: CallParts) {
    this.#parts = parts
    this.#ensemble = parts.ensemble
    this.#attempt = Math.floor(parts.chance() * 2 ** 31)
  }

  /** Null: nobody has answered yet. */
  get ensemble(): EnsembleId | null {
    return this.#ensemble
  }

  /** Who serves this page now. */
  get member(): ReplicaId | null {
    return this.#partner?.member ?? null
  }

  async join(): Promise<void> {
    const { signaling, topic, self } = this.#parts
    await signaling.join(topic, (signal) => this.#hear(signal), self)
  }

  /** Rejects if no member answers, or the chosen one cannot be reached: call again. With `TooManySessions`, if none of those who answer has a place. */
  async connect(): Promise<ChannelPipe> {
    this.#hangUp?.()
    const { members, full } = await this.#seek()
    if (members.length === 0 && full > 0)
      throw new KeeperError(
        'TooManySessions',
        `No place: each of the ${full} members that answer serves as many clients as it takes.`,
      )
    const fresh = members.filter((member) => !this.#tried.has(member))
    if (fresh.length === 0) this.#tried.clear()
    const choice = fresh.length === 0 ? members : fresh
    const member = choice[Math.floor(this.#parts.chance() * choice.length)]
    if (member === undefined) throw new Error('No member answers.')
    this.#tried.add(member)
    return this.#dial(member, await this.#parts.iceServers())
  }

  /** Whoever called hears that the connection closed. */
  hangUp(): void {
    this.#hangUp?.()
  }

  close(): void {
    this.#hangUp?.()
    this.#parts.signaling.leave()
  }

  #seek(): Promise<{ readonly members: readonly ReplicaId[]; readonly full: number }> {
    const { signaling, self, after } = this.#parts
    return new Promise((resolve) => {
      const found = new Set<ReplicaId>()
      const full = new Set<ReplicaId>()
      let stopAsking = (): void => {}
      let stopWaiting = (): void => {}
      const done = (): void => {
        stopAsking()
        stopWaiting()
        this.#answered = null
        resolve({ members: [...found], full: full.size })
      }
      const ask = (): void => {
        signaling.send({ kind: 'seek', ensemble: NO_ENSEMBLE, from: self, incarnation: 0 })
        stopAsking = after(CALL.seekEvery, ask)
      }
      const waitAtMost = (ms: number): void => {
        stopWaiting()
        stopWaiting = after(ms, done)
      }
      this.#answered = (member, isFull) => {
        if (!isFull && found.size === 0) waitAtMost(CALL.gather)
        else if (isFull && found.size + full.size === 0) waitAtMost(CALL.gatherPlaces)
        const answers = isFull ? full : found
        answers.add(member)
      }
      stopWaiting = after(CALL.seekFor, done)
      ask()
    })
  }

  #dial(member: ReplicaId, servers: readonly RTCIceServer[]): Promise<ChannelPipe> {
    const { self, signaling, openPair, after } = this.#parts
    const attempt = ++this.#attempt
    const ensemble = this.#ensemble ?? NO_ENSEMBLE
    const head = { kind: 'signal', ensemble, from: self, incarnation: 0, to: member, attempt } as const
    return new Promise((resolve, reject) => {
      let pipe: ChannelPipe | null = null
      let pair: RtcPair | null = null
      let opened = false
      const hangUp = (): void => {
        stop()
        if (this.#hangUp !== hangUp) return
        this.#hangUp = null
        this.#partner = null
        pair?.close()
        pipe?.close()
        reject(new Error(`Replica ${member} cannot be reached.`))
      }
      const stop = after(CALL.connectWithin, hangUp)
      this.#hangUp = hangUp
      pair = openPair(true, servers, {
        onchannels: ({ control }) => {
          const made = channelPipe(control, LIMITS.messageBytesMax)
          pipe = made
          control.addEventListener('open', () => {
            stop()
            opened = true
            this.#tried.clear()
            // If it ends soon, the next one is another.
            this.#tried.add(member)
            resolve(made)
          })
        },
        onsignal: (data) => signaling.send({ ...head, data }, member),
        onclose: hangUp,
      })
      this.#partner = {
        member,
        step: (of, step) => {
          if (of === attempt) pair?.signal(step)
        },
        full: () => {
          if (!opened) hangUp()
        },
      }
    })
  }

  #hear(signal: Signal): void {
    if (!('to' in signal) || signal.to !== this.#parts.self) return
    if (signal.kind === 'here' || signal.kind === 'full') {
      const full = signal.kind === 'full'
      // The place was given to another one meanwhile.
      if (full && signal.from === this.#partner?.member) return this.#partner.full()
      if (this.#answered === null) return
      if (!full) this.#ensemble ??= signal.ensemble
      if (signal.ensemble === (this.#ensemble ?? signal.ensemble)) this.#answered(signal.from, full)
    } else if (signal.kind === 'signal' && signal.from === this.#partner?.member)
      this.#partner.step(signal.attempt, signal.data)
  }
}
