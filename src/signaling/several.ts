import type { ReplicaId } from '../base/ids.ts'
import type { Envelope } from './signal.ts'
import type { Signaling } from './signaling.ts'

/** Steps of negotiations remembered, so that each is heard once. */
const REMEMBERED = 1024

/** Several ways to find one another, used as one. */
export class SeveralSignalings implements Signaling {
  onreach: (() => void) | null = null
  readonly #media: readonly Signaling[]
  readonly #heard = new Set<string>()

  constructor(media: readonly Signaling[]) {
    this.#media = media
  }

  async join(topic: string, onSignal: (signal: Envelope) => void, self: ReplicaId): Promise<void> {
    const hear = (signal: Envelope): void => {
      // All else may be said twice; what is sealed is numbered.
      if (signal.kind !== 'signal' || this.#isNew(JSON.stringify(signal))) onSignal(signal)
    }
    for (const medium of this.#media) medium.onreach = () => this.onreach?.()
    const joined = await Promise.allSettled(this.#media.map((medium) => medium.join(topic, hear, self)))
    // One that works will do.
    if (joined.every(({ status }) => status === 'rejected'))
      for (const one of joined) if (one.status === 'rejected') throw one.reason
  }

  send(signal: Envelope, to?: ReplicaId): void {
    for (const medium of this.#media) medium.send(signal, to)
  }

  leave(): void {
    for (const medium of this.#media) {
      medium.onreach = null
      medium.leave()
    }
    this.#heard.clear()
  }

  #isNew(step: string): boolean {
    if (this.#heard.has(step)) return false
    this.#heard.add(step)
    const oldest = this.#heard.keys().next()
    if (this.#heard.size > REMEMBERED && !oldest.done) this.#heard.delete(oldest.value)
    return true
  }
}
