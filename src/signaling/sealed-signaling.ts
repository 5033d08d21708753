import type { ReplicaId } from '../base/ids.ts'
import { parseEnvelope } from './parse-signal.ts'
import { Seal, type SealParts } from './seal.ts'
import type { Goodbye, SealedSignal, Signal } from './signal.ts'
import type { MemberSignaling, Signaling } from './signaling.ts'

/** Plain signals on this side, sealed ones on the other. In order, although sealing takes time. */
export class SealedSignaling implements MemberSignaling {
  onreach: (() => void) | null = null
  readonly #medium: Signaling
  readonly #parts: Pick<SealParts, 'key' | 'subtle' | 'random'>
  readonly #forged: () => void
  #joined: { readonly seal: Seal; out: Promise<void>; in: Promise<void> } | null = null
  /** Sealed in advance, by what they say. */
  readonly #prepared = new Map<string, SealedSignal>()

  /** `forged`: told of each signal that nobody made who knows the secret. */
  constructor(medium: Signaling, parts: Pick<SealParts, 'key' | 'subtle' | 'random'>, forged: () => void) {
    this.#medium = medium
    this.#parts = parts
    this.#forged = forged
  }

  async join(topic: string, onSignal: (signal: Signal) => void, self: ReplicaId): Promise<void> {
    this.leave()
    const seal = new Seal({ ...this.#parts, topic, self })
    const joined = { seal, out: Promise.resolve(), in: Promise.resolve() }
    this.#joined = joined
    this.#medium.onreach = () => this.onreach?.()
    await this.#medium.join(
      topic,
      (value) => {
        const envelope = parseEnvelope(value)
        // Whoever has no secret is no member.
        if (envelope?.kind !== 'sealed') return this.#forged()
        joined.in = joined.in.then(async () => {
          const opened = await seal.open(envelope)
          if (this.#joined !== joined) return
          if (opened.kind === 'signal') onSignal(opened.signal)
          else if (opened.kind === 'forged') this.#forged()
        })
      },
      self,
    )
  }

  send(signal: Signal, to?: ReplicaId): void {
    const joined = this.#joined
    if (joined === null) return
    const prepared = this.#prepared.get(JSON.stringify(signal))
    if (prepared !== undefined) return this.#medium.send(prepared, to)
    joined.out = joined.out.then(async () => {
      const sealed = await joined.seal.seal(signal)
      if (sealed !== null && this.#joined === joined) this.#medium.send(sealed, to)
    })
  }

  async prepare(signal: Goodbye): Promise<void> {
    const joined = this.#joined
    const sealed = await joined?.seal.seal(signal)
    if (sealed && this.#joined === joined) this.#prepared.set(JSON.stringify(signal), sealed)
  }

  leave(): void {
    if (this.#joined === null) return
    this.#joined = null
    this.#prepared.clear()
    this.#medium.onreach = null
    this.#medium.leave()
  }
}
