import { LIMITS } from '../base/limits.ts'
import { DecodeError } from '../jute/reader.ts'

/**
 * Messages on a link of small frames. A frame is one or more pieces; a piece is four bytes of header and content. The
 * header's top bit says that the message goes on in the next frame, the rest is the piece's length. Small messages share
 * a frame, a large one takes several; a piece that goes on is the last of its frame.
 */
const HEADER_BYTES = 4
const GOES_ON = 0x80000000
/** With less room than this left in a frame, a message starts in the next one. */
const PIECE_BYTES_MIN = 64

interface Piece {
  readonly bytes: Uint8Array
  readonly goesOn: boolean
}

/** Outbound: encoded messages and lazily drawn streams of them, in order, cut into frames when the link asks for one. */
export class FrameQueue {
  readonly #frameBytesMax: number
  readonly #waiting: (Uint8Array | Iterator<Uint8Array>)[] = []
  #first = 0
  /** How much of the first message has left. */
  #offset = 0
  #bytes = 0

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** What waits here; of a stream only what was drawn. */
  get bytes(): number {
    return this.#bytes
  }

  push(message: Uint8Array): void {
    this.#waiting.push(message)
    this.#bytes += message.length
  }

  pushStream(messages: Iterator<Uint8Array>): void {
    this.#waiting.push(messages)
  }

  clear(): void {
    this.#waiting.length = 0
    this.#first = 0
    this.#offset = 0
    this.#bytes = 0
  }

  /** The next frame, as full as it can be; null when nothing waits. Throws what a stream throws. */
  next(): Uint8Array<ArrayBuffer> | null {
    const pieces: Piece[] = []
    let room = this.#frameBytesMax
    for (let message = this.#head(); message !== null; message = this.#head()) {
      const left = message.length - this.#offset
      const fits = left + HEADER_BYTES <= room
      if (!fits && room < HEADER_BYTES + PIECE_BYTES_MIN && pieces.length > 0) break
      const take = fits ? left : room - HEADER_BYTES
      pieces.push({ bytes: message.subarray(this.#offset, this.#offset + take), goesOn: !fits })
      room -= HEADER_BYTES + take
      this.#bytes -= take
      this.#offset += take
      if (!fits) break
      this.#drop()
    }
    return pieces.length === 0 ? null : joined(pieces, this.#frameBytesMax - room)
  }

  /** The message whose turn it is, drawn from a stream if need be. */
  #head(): Uint8Array | null {
    for (;;) {
      const head = this.#waiting[this.#first]
      if (head === undefined) return null
      if (head instanceof Uint8Array) return head
      const drawn = head.next()
      if (drawn.done === true) {
        this.#drop()
        continue
      }
      this.#bytes += drawn.value.length
      // The stream stays behind what was drawn from it.
      if (this.#first > 0) this.#waiting[--this.#first] = drawn.value
      else this.#waiting.unshift(drawn.value)
      return drawn.value
    }
  }

  #drop(): void {
    this.#first++
    this.#offset = 0
    if (this.#first < 64 || this.#first * 2 < this.#waiting.length) return
    this.#waiting.splice(0, this.#first)
    this.#first = 0
  }
}

function joined(pieces: readonly Piece[], length: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(length)
  const view = new DataView(frame.buffer)
  let at = 0
  for (const { bytes, goesOn } of pieces) {
    view.setUint32(at, goesOn ? (bytes.length | GOES_ON) >>> 0 : bytes.length)
    frame.set(bytes, at + HEADER_BYTES)
    at += HEADER_BYTES + bytes.length
  }
  return frame
}

/** Inbound: frames to messages. Holds at most one unfinished message, and never allocates more than twice what came. */
export class Assembler {
  #partial = new Uint8Array(0)
  #length = 0
  #messageBytesMax: number

  constructor(messageBytesMax: number = LIMITS.messageBytesMax) {
    this.#messageBytesMax = messageBytesMax
  }

  /** From now on messages may be so large. */
  allow(messageBytesMax: number): void {
    this.#messageBytesMax = messageBytesMax
  }

  /** Is a message unfinished? */
  get unfinished(): boolean {
    return this.#length > 0
  }

  /** The messages that this frame completes; those that fit a frame are views into it. Throws DecodeError. */
  take(frame: Uint8Array): Uint8Array[] {
    if (frame.length === 0) throw new DecodeError('empty frame')
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const messages: Uint8Array[] = []
    let at = 0
    while (at < frame.length) {
      if (frame.length - at <= HEADER_BYTES) throw new DecodeError('piece without content')
      const header = view.getUint32(at)
      const goesOn = header >= GOES_ON
      const length = goesOn ? header - GOES_ON : header
      at += HEADER_BYTES
      if (length === 0 || length > frame.length - at) throw new DecodeError(`piece of ${length} bytes`)
      if (goesOn && at + length !== frame.length) throw new DecodeError('a piece that goes on is the last of its frame')
      if (this.#length + length > this.#messageBytesMax) throw new DecodeError('message too large')
      const piece = frame.subarray(at, at + length)
      at += length
      if (goesOn || this.#length > 0) this.#append(piece)
      if (goesOn) break
      messages.push(this.#length > 0 ? this.#finish() : piece)
    }
    return messages
  }

  #append(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#partial.length) {
      const grown = new Uint8Array(Math.max(length, this.#partial.length * 2))
      grown.set(this.#partial.subarray(0, this.#length))
      this.#partial = grown
    }
    this.#partial.set(piece, this.#length)
    this.#length = length
  }

  #finish(): Uint8Array {
    const message = this.#partial.subarray(0, this.#length)
    this.#partial = new Uint8Array(0)
    this.#length = 0
    return message
  }
}
