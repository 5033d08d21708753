/** Chance from a seed (xorshift32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 1
  }

  below(end: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % end
  }
}

/** Numbers that lengths and counts like to be wrong by. */
const EDGES = [0, 1, -1, -2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0xfffff, 0x7fffffff, -0x80000000] as const

/** One to four changes: bits, bytes, numbers at their edges, pieces cut out, doubled, moved from another sample. */
export function mutated(sample: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  let bytes = sample.slice()
  for (let left = 1 + dice.below(4); left > 0 && bytes.length > 0; left--) bytes = change(bytes, other, dice)
  return bytes
}

function change(bytes: Uint8Array<ArrayBuffer>, other: Uint8Array, dice: Dice): Uint8Array<ArrayBuffer> {
  const at = dice.below(bytes.length)
  switch (dice.below(7)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8))
      return bytes
    case 1:
      bytes[at] = dice.below(256)
      return bytes
    case 2:
      if (bytes.length >= 4) {
        const value = EDGES[dice.below(EDGES.length)] as number
        new DataView(bytes.buffer).setInt32(Math.min(at, bytes.length - 4), value)
      }
      return bytes
    case 3:
      return bytes.slice(0, at)
    case 4:
      return spliced(bytes, at, at + 1 + dice.below(16), new Uint8Array(0))
    case 5:
      return spliced(bytes, at, at, bytes.slice(at, at + 1 + dice.below(64)))
    default: {
      const from = dice.below(Math.max(1, other.length))
      return spliced(bytes, at, at + dice.below(8), other.slice(from, from + 1 + dice.below(32)))
    }
  }
}

function spliced(bytes: Uint8Array, from: number, to: number, between: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(to, bytes.length))
  const out = new Uint8Array(from + between.length + rest.length)
  out.set(bytes.subarray(0, from))
  out.set(between, from)
  out.set(rest, from + between.length)
  return out
}
