import { LIMITS } from '../base/limits.ts'
import { DecodeError } from './reader.ts'

const LENGTH_BYTES = 4

/** Joins packets into one frame, each behind its 4-byte length. */
export class PacketBatch {
  #packets: Uint8Array[] = []
  #length = 0

  /** Of the frame so far. */
  get length(): number {
    return this.#length
  }

  add(packet: Uint8Array): this {
    this.#packets.push(packet)
    this.#length += LENGTH_BYTES + packet.length
    return this
  }

  /** The frame; the batch is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const frame = new Uint8Array(this.#length)
    let at = 0
    for (const packet of this.#packets) {
      const { length } = packet
      frame[at] = length >>> 24
      frame[at + 1] = length >>> 16
      frame[at + 2] = length >>> 8
      frame[at + 3] = length
      frame.set(packet, at + LENGTH_BYTES)
      at += LENGTH_BYTES + length
    }
    this.#packets = []
    this.#length = 0
    return frame
  }
}

/** The packets of a frame that holds whole ones, as views. Throws DecodeError for anything else. */
export function splitPackets(frame: Uint8Array, packetBytesMax: number = LIMITS.packetBytesMax): Uint8Array[] {
  const packets: Uint8Array[] = []
  const rest = cut(frame, packetBytesMax, packets)
  if (rest !== frame.length) throw new DecodeError(`frame ends within a packet, at ${rest} of ${frame.length}`)
  return packets
}

/** Finds the packets in a stream that is cut anywhere (TCP). */
export class PacketSplitter {
  readonly #packetBytesMax: number
  #chunks: Uint8Array[] = []
  #held = 0
  /** Nothing can be complete before this many bytes are there. */
  #needed = LENGTH_BYTES

  constructor(packetBytesMax: number = LIMITS.packetBytesMax) {
    this.#packetBytesMax = packetBytesMax
  }

  /** The packets that these bytes complete. They may be views of `bytes`. */
  push(bytes: Uint8Array): Uint8Array[] {
    this.#chunks.push(bytes)
    this.#held += bytes.length
    if (this.#held < this.#needed) return []
    const all = this.#joined()
    const packets: Uint8Array[] = []
    const at = cut(all, this.#packetBytesMax, packets)
    // A copy: a view would keep a whole chunk alive for a few bytes.
    const rest = all.slice(at)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    this.#needed = rest.length < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + lengthAt(rest, 0, this.#packetBytesMax)
    return packets
  }

  #joined(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0] as Uint8Array
    const all = new Uint8Array(this.#held)
    let at = 0
    for (const chunk of this.#chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }
}

function cut(bytes: Uint8Array, packetBytesMax: number, into: Uint8Array[]): number {
  let at = 0
  while (bytes.length - at >= LENGTH_BYTES) {
    const end = at + LENGTH_BYTES + lengthAt(bytes, at, packetBytesMax)
    if (end > bytes.length) break
    into.push(bytes.subarray(at + LENGTH_BYTES, end))
    at = end
  }
  return at
}

function lengthAt(bytes: Uint8Array, at: number, packetBytesMax: number): number {
  const byte = (i: number): number => bytes[at + i] as number
  const length = (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)
  if (length < 0 || length > packetBytesMax) throw new DecodeError(`packet of ${length} bytes`)
  return length
}
