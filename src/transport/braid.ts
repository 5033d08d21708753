import { LIMITS } from '../base/limits.ts'
import { DecodeError } from '../jute/reader.ts'
import { isFree, isMark } from './lanes.ts'

/** Inbound: the messages of a link's two channels (see lanes.ts), in the order in which they were sent. */
export class Braid {
  #streaming = false
  /** Came before its turn. */
  readonly #held: { readonly control: Uint8Array[]; readonly bulk: Uint8Array[] } = { control: [], bulk: [] }
  #bytes = 0

  /** What may be heard now. Throws DecodeError for what nobody sends who keeps to the order. */
  take(lane: 'control' | 'bulk', messages: readonly Uint8Array[]): Uint8Array[] {
    const heard: Uint8Array[] = []
    for (const message of messages) {
      if (lane === 'control' && isFree(message)) heard.push(message)
      else if ((lane === 'bulk') !== this.#streaming) this.#hold(lane, message)
      else if (isMark(message)) this.#turn(heard)
      else heard.push(message)
    }
    return heard
  }

  #hold(lane: 'control' | 'bulk', message: Uint8Array): void {
    this.#bytes += message.length
    if (this.#bytes > LIMITS.linkQueueBytesMax) throw new DecodeError('too much out of turn')
    // A copy: a few bytes would hold their whole frame.
    this.#held[lane].push(message.slice())
  }

  /** It is the other channel's turn, as long as what it has sent goes. */
  #turn(heard: Uint8Array[]): void {
    const at = { control: 0, bulk: 0 }
    this.#streaming = !this.#streaming
    for (;;) {
      const lane = this.#streaming ? 'bulk' : 'control'
      const message = this.#held[lane][at[lane]]
      if (message === undefined) break
      at[lane] += 1
      this.#bytes -= message.length
      if (isMark(message)) this.#streaming = !this.#streaming
      else heard.push(message)
    }
    this.#held.control.splice(0, at.control)
    this.#held.bulk.splice(0, at.bulk)
  }
}
