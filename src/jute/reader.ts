import { fromUtf8 } from '../base/bytes.ts'

/** Bytes that are not what they should be. Who sent them loses its link; nobody else notices. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** The last 64-bit number that was read as a bigint: sessions come in runs, and arithmetic on bigints is dear. */
let lastBig = 0n
let lastHigh = 0
let lastLow = 0

const int32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number)

/** Reads jute, never past the end, never allocating more than the input holds. Buffers are views into the input. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  #take(length: number): number {
    if (length < 0 || length > this.#bytes.length - this.#at) {
      throw new DecodeError(`needs ${length} bytes at ${this.#at}, has ${this.#bytes.length - this.#at}`)
    }
    const at = this.#at
    this.#at = at + length
    return at
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number
  }

  bool(): boolean {
    const value = this.byte()
    if (value > 1) throw new DecodeError(`${value} is no boolean`)
    return value === 1
  }

  int(): number {
    return int32(this.#bytes, this.#take(4))
  }

  uint(): number {
    return int32(this.#bytes, this.#take(4)) >>> 0
  }

  /** A long that must be a safe, non-negative integer. */
  long(): number {
    const at = this.#take(8)
    const value = int32(this.#bytes, at) * 2 ** 32 + (int32(this.#bytes, at + 4) >>> 0)
    if (!Number.isSafeInteger(value) || value < 0) throw new DecodeError('long out of range')
    return value
  }

  bigLong(): bigint {
    const at = this.#take(8)
    const high = int32(this.#bytes, at)
    const low = int32(this.#bytes, at + 4)
    if (high !== lastHigh || low !== lastLow) {
      lastBig = (BigInt(high) << 32n) | BigInt(low >>> 0)
      lastHigh = high
      lastLow = low
    }
    return lastBig
  }

  buffer(): Uint8Array | null {
    const length = this.int()
    if (length === -1) return null
    if (length < -1) throw new DecodeError('negative length')
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  bytes(): Uint8Array {
    const value = this.buffer()
    if (value === null) throw new DecodeError('null buffer')
    return value
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  string(): string | null {
    const value = this.buffer()
    if (value === null) return null
    try {
      return fromUtf8(value)
    } catch {
      throw new DecodeError('not UTF-8')
    }
  }

  text(): string {
    const value = this.string()
    if (value === null) throw new DecodeError('null string')
    return value
  }

  /** ZooKeeper writes a null vector as −1; we read it as empty. `elementBytesMin` bounds what a count may claim. */
  vector<T>(read: (reader: this) => T, elementBytesMin = 1): T[] {
    const count = this.int()
    if (count === -1) return []
    if (count < -1 || count * elementBytesMin > this.remaining) throw new DecodeError(`vector of ${count}`)
    const out: T[] = []
    for (let i = 0; i < count; i++) out.push(read(this))
    return out
  }

  /** Every decoder ends with this: trailing bytes are an error. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError(`${this.remaining} trailing bytes`)
  }
}

/** Decodes a whole buffer with one function. */
export function decode<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes)
  const value = read(reader)
  reader.end()
  return value
}
