/**
 * A 64-bit digest of a set of things: the sum of their hashes in two 32-bit lanes, so that one thing changes it in O(1) and order does
 * not matter. It finds replicas that disagree; it is no defence against a forger.
 */
export class Digest {
  #high = 0
  #low = 0

  add(high: number, low: number): void {
    this.#high = (this.#high + high) | 0
    this.#low = (this.#low + low) | 0
  }

  remove(high: number, low: number): void {
    this.#high = (this.#high - high) | 0
    this.#low = (this.#low - low) | 0
  }

  get hex(): string {
    return lane(this.#high) + lane(this.#low)
  }
}

const lane = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

/** Seeds of the two lanes. */
export const HIGH = 0x9747b28c
export const LOW = 0x1b873593

/** One 32-bit number into a running hash (murmur3's round). */
export function mix(hash: number, value: number): number {
  const k = Math.imul(value, 0xcc9e2d51)
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

/** A safe integer. */
export const mixWide = (hash: number, value: number): number => mix(mix(hash, value | 0), Math.floor(value / 2 ** 32))

export const mixBig = (hash: number, value: bigint): number =>
  mix(mix(hash, Number(BigInt.asIntN(32, value))), Number(BigInt.asIntN(32, value >> 32n)))

export function mixText(hash: number, text: string): number {
  let h = mix(hash, text.length)
  for (let i = 0; i < text.length; i++) h = mix(h, text.charCodeAt(i))
  return h
}

/** Four bytes a round. Null differs from empty. */
export function mixBytes(hash: number, bytes: Uint8Array | null): number {
  if (bytes === null) return mix(hash, -1)
  let h = mix(hash, bytes.length)
  const whole = bytes.length & ~3
  for (let i = 0; i < whole; i += 4) {
    h = mix(h, at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24))
  }
  for (let i = whole; i < bytes.length; i++) h = mix(h, at(bytes, i))
  return h
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] as number

/** The last step: every bit of the input moves every bit of the result. */
export function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
