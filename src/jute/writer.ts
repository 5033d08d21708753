import { EMPTY, utf8 } from '../base/bytes.ts'

const SHARED_BYTES = 16 * 1024
/**
 * What almost every packet is built in, one behind the other: allocating each its own costs more than filling it. Null while
 * a writer has it.
 */
let shared: Uint8Array<ArrayBuffer> | null = null
let sharedAt = 0

/** The last session, or the like, that was written: they come in runs, and arithmetic on bigints is dear. */
let lastBig = 0n
let lastHigh = 0
let lastLow = 0

/**
 * Writes ZooKeeper's jute encoding: big-endian fixed-width numbers, length-prefixed buffers (−1 is null), vectors.
 * The buffer doubles; `finish` or `pack` gives exactly what was written, and leaves the writer empty.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>
  #start = 0
  #at = 0

  /** More than is needed costs nothing, less a copy or two. */
  constructor(capacity = 128) {
    if (capacity > SHARED_BYTES) this.#bytes = new Uint8Array(capacity)
    else if (shared === null || capacity > SHARED_BYTES - sharedAt) this.#bytes = new Uint8Array(SHARED_BYTES)
    else {
      this.#bytes = shared
      this.#start = sharedAt
      this.#at = sharedAt
      shared = null
    }
  }

  get length(): number {
    return this.#at - this.#start
  }

  /** May replace `#bytes` and move what was written: call it before either is named. */
  #room(more: number): number {
    if (this.#at + more > this.#bytes.length) this.#grow(more)
    const at = this.#at
    this.#at = at + more
    return at
  }

  #grow(more: number): void {
    const length = this.#at - this.#start
    const grown = new Uint8Array(Math.max(SHARED_BYTES, length * 2, length + more))
    grown.set(this.#bytes.subarray(this.#start, this.#at))
    this.#bytes = grown
    this.#start = 0
    this.#at = length
  }

  byte(value: number): this {
    const at = this.#room(1)
    this.#bytes[at] = value
    return this
  }

  bool(value: boolean): this {
    return this.byte(value ? 1 : 0)
  }

  /** Signed or unsigned: the low 32 bits. */
  int(value: number): this {
    const at = this.#room(4)
    const bytes = this.#bytes
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    return this
  }

  uint(value: number): this {
    return this.int(value)
  }

  /** A 64-bit long from a safe integer (zxid, time, replica id). */
  long(value: number): this {
    return this.int(Math.floor(value / 2 ** 32)).int(value)
  }

  bigLong(value: bigint): this {
    if (value !== lastBig) {
      lastBig = value
      lastLow = Number(BigInt.asIntN(32, value))
      lastHigh = Number(BigInt.asIntN(32, value >> 32n))
    }
    return this.int(lastHigh).int(lastLow)
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1)
    return this.int(value.length).raw(value)
  }

  /** Bytes without a length prefix. */
  raw(value: Uint8Array): this {
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
    return this
  }

  string(value: string | null): this {
    if (value === null) return this.int(-1)
    const before = this.length
    this.int(value.length)
    const at = this.#room(value.length)
    const bytes = this.#bytes
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) {
        this.#at = this.#start + before
        return this.buffer(utf8(value))
      }
      bytes[at + i] = unit
    }
    return this
  }

  vector<T>(values: readonly T[], write: (writer: this, value: T) => void): this {
    this.int(values.length)
    for (const value of values) write(this, value)
    return this
  }

  /** In a buffer of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    const [bytes, start, end] = [this.#bytes, this.#start, this.#at]
    const whole = start === 0 && end === bytes.length
    this.#release(whole ? SHARED_BYTES : start)
    return whole ? bytes : bytes.slice(start, end)
  }

  /**
   * As a view into a buffer that other packets share: for what is soon copied into a frame. Not to be transferred, nor to be
   * kept for long beside what is not.
   */
  pack(): Uint8Array<ArrayBuffer> {
    const [bytes, start, end] = [this.#bytes, this.#start, this.#at]
    this.#release(end)
    return bytes.subarray(start, end)
  }

  #release(at: number): void {
    if (this.#bytes.length === SHARED_BYTES && at < SHARED_BYTES) {
      shared = this.#bytes
      sharedAt = at
    }
    this.#bytes = EMPTY
    this.#start = 0
    this.#at = 0
  }
}
