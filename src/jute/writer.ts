import { utf8 } from '../base/bytes.ts'

/**
 * Writes ZooKeeper's jute encoding: big-endian fixed-width numbers, length-prefixed buffers (−1 is null), vectors.
 * The buffer doubles; `finish` gives one exact copy.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #at = 0

  constructor(capacity = 128) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#at
  }

  /** May replace `#bytes` and `#view`: call it before either is named. */
  #room(more: number): number {
    const at = this.#at
    if (at + more > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, at + more))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#at = at + more
    return at
  }

  byte(value: number): this {
    const at = this.#room(1)
    this.#view.setUint8(at, value)
    return this
  }

  bool(value: boolean): this {
    return this.byte(value ? 1 : 0)
  }

  int(value: number): this {
    const at = this.#room(4)
    this.#view.setInt32(at, value)
    return this
  }

  uint(value: number): this {
    const at = this.#room(4)
    this.#view.setUint32(at, value)
    return this
  }

  /** A 64-bit long from a safe, non-negative integer (zxid, time, replica id). */
  long(value: number): this {
    const at = this.#room(8)
    this.#view.setInt32(at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(at + 4, value % 2 ** 32 < 0 ? (value % 2 ** 32) + 2 ** 32 : value % 2 ** 32)
    return this
  }

  bigLong(value: bigint): this {
    const at = this.#room(8)
    this.#view.setBigInt64(at, BigInt.asIntN(64, value))
    return this
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1)
    this.int(value.length)
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
    return this
  }

  /** Bytes without a length prefix. */
  raw(value: Uint8Array): this {
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
    return this
  }

  string(value: string | null): this {
    return this.buffer(value === null ? null : utf8(value))
  }

  vector<T>(values: readonly T[], write: (writer: this, value: T) => void): this {
    this.int(values.length)
    for (const value of values) write(this, value)
    return this
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at)
  }
}
