import { isHeartbeat, PEER_VERSION } from './codec.ts'
import { FrameQueue } from './framing.ts'
import { isIntroduction } from './introduction.ts'

/*
 * A link has two channels: control, and bulk for streams (snapshots). On control a mark stands where a stream belongs; on bulk
 * the same mark ends it. What was sent behind a stream is heard behind it, as on one channel; but heartbeats and introductions,
 * which mean the same whenever they come, pass it.
 */

/** Far from the types of Zab's messages, of which it is none. */
const TYPE = 129
const MARK = new Uint8Array([PEER_VERSION, TYPE])

export const isMark = (message: Uint8Array): boolean =>
  message.length === 2 && message[0] === PEER_VERSION && message[1] === TYPE

/** May it be heard before what was said before it? */
export const isFree = (message: Uint8Array): boolean => isHeartbeat(message) || isIntroduction(message)

/** Outbound. Without a bulk channel all goes in one order over one. */
export class Lanes {
  readonly #control: FrameQueue
  readonly #bulk: FrameQueue | null
  /** Does a stream run? Then `#behind` waits for its end. */
  #streaming = false
  #behind: (Uint8Array | Iterator<Uint8Array>)[] = []
  #behindBytes = 0

  constructor(controlFrameBytesMax: number, bulkFrameBytesMax: number | null) {
    this.#control = new FrameQueue(controlFrameBytesMax)
    this.#bulk = bulkFrameBytesMax === null ? null : new FrameQueue(bulkFrameBytesMax)
  }

  /** What waits here; of a stream only what was drawn. */
  get bytes(): number {
    return this.#control.bytes + (this.#bulk?.bytes ?? 0) + this.#behindBytes
  }

  push(message: Uint8Array): void {
    if (!this.#streaming || isFree(message)) return this.#control.push(message)
    this.#behind.push(message)
    this.#behindBytes += message.length
  }

  pushStream(messages: Iterator<Uint8Array>): void {
    if (this.#bulk === null) return this.#control.pushStream(messages)
    if (this.#streaming) return void this.#behind.push(messages)
    this.#streaming = true
    this.#control.push(MARK)
    this.#bulk.pushStream(messages)
    this.#bulk.push(MARK)
  }

  nextControl(): Uint8Array<ArrayBuffer> | null {
    return this.#control.next()
  }

  nextBulk(): Uint8Array<ArrayBuffer> | null {
    if (!this.#streaming || this.#bulk === null) return null
    const frame = this.#bulk.next()
    if (frame === null) this.#ended()
    return frame
  }

  clear(): void {
    this.#control.clear()
    this.#bulk?.clear()
    this.#behind = []
    this.#behindBytes = 0
  }

  #ended(): void {
    const behind = this.#behind
    this.#streaming = false
    this.#behind = []
    this.#behindBytes = 0
    for (const one of behind)
      if (one instanceof Uint8Array) this.push(one)
      else this.pushStream(one)
  }
}
