import type { ReplicaId } from '../base/ids.ts'
import { parseSignal } from './parse-signal.ts'
import type { Signal } from './signal.ts'
import type { MemberSignaling, Signaling } from './signaling.ts'

/** Signals as they are, for a medium that strangers cannot reach: the pages of one origin in one browser. */
export class PlainSignaling implements MemberSignaling {
  onreach: (() => void) | null = null
  readonly #medium: Signaling

  constructor(medium: Signaling) {
    this.#medium = medium
  }

  join(topic: string, onSignal: (signal: Signal) => void, self: ReplicaId): Promise<void> {
    const hear = (value: unknown): void => {
      const signal = parseSignal(value)
      if (signal !== null) onSignal(signal)
    }
    this.#medium.onreach = () => this.onreach?.()
    return this.#medium.join(topic, hear, self)
  }

  send(signal: Signal, to?: ReplicaId): void {
    this.#medium.send(signal, to)
  }

  async prepare(): Promise<void> {}

  leave(): void {
    this.#medium.leave()
  }
}
