import type { ReplicaId } from '../base/ids.ts'
import { parseEnvelope } from './parse-signal.ts'
import type { Envelope } from './signal.ts'
import type { Signaling } from './signaling.ts'

/** Signaling over the links that there are already: members pass it on to members. */
export class Introductions implements Signaling {
  onreach: (() => void) | null = null
  /** Set by whoever has links. */
  say: (to: ReplicaId | null, text: string) => void = () => {}
  #hear: ((signal: Envelope) => void) | null = null

  async join(_topic: string, onSignal: (signal: Envelope) => void): Promise<void> {
    this.#hear = onSignal
  }

  send(signal: Envelope, to?: ReplicaId): void {
    if (this.#hear !== null) this.say(to ?? null, JSON.stringify(signal))
  }

  leave(): void {
    this.#hear = null
  }

  /** Something was passed on to us. */
  heard(text: string): void {
    const signal = parseEnvelope(parse(text))
    if (signal !== null) this.#hear?.(signal)
  }

  /** There is a first link: the members behind it can be reached. */
  reached(): void {
    this.onreach?.()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
