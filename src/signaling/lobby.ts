import type { ReplicaId } from '../base/ids.ts'
import { parseEnvelope } from './parse-signal.ts'
import type { Knock } from './signal.ts'
import type { Signaling } from './signaling.ts'

export interface LobbyParts {
  readonly signaling: Signaling
  readonly topic: string
  readonly self: ReplicaId
  /** Of our own secret; null: we have none. */
  readonly tag: string | null
  /** Monotonic milliseconds. */
  readonly now: () => number
}

const NO_TAG = '0'.repeat(32)
/** However many knock, this is how often they are answered. */
const ANSWER_EVERY = 2000

/**
 * Where pages that give one name but different secrets learn of each other; those with the right one meet in a topic that nobody
 * else knows. Anybody can knock here: a knock is a reason to ask people, and to do nothing else.
 */
export class Lobby {
  readonly #parts: LobbyParts
  readonly #stranger: () => void
  #answeredAt = Number.NEGATIVE_INFINITY

  /** `stranger`: told when somebody with another secret is heard. */
  constructor(parts: LobbyParts, stranger: () => void) {
    this.#parts = parts
    this.#stranger = stranger
  }

  async enter(): Promise<void> {
    const { signaling, topic, self } = this.#parts
    signaling.onreach = () => signaling.send(this.#knock())
    await signaling.join(
      topic,
      (value) => this.#hear(parseEnvelope(value)?.kind === 'knock' ? (value as Knock) : null),
      self,
    )
    signaling.send(this.#knock())
  }

  leave(): void {
    this.#parts.signaling.leave()
  }

  #hear(knock: Knock | null): void {
    if (knock === null || knock.from === this.#parts.self || knock.tag === this.#knock().tag) return
    const now = this.#parts.now()
    if (now - this.#answeredAt >= ANSWER_EVERY) {
      this.#answeredAt = now
      this.#parts.signaling.send(this.#knock())
    }
    this.#stranger()
  }

  #knock(): Knock {
    return { kind: 'knock', from: this.#parts.self, tag: this.#parts.tag ?? NO_TAG }
  }
}
