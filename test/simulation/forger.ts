import type { ReplicaId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import { decodeMessage, encodeMessage } from '../../src/transport/codec.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Chance } from './chance.ts'

const KEPT = 200
/** Epochs, rounds, zxids and tokens that somebody may claim. */
const NUMBERS = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 45, 2 ** 53 - 1] as const

/**
 * A member whose frames lie: random bytes, broken frames, replays, words of others under its own nonce, numbers that were made up. Everything
 * else about it is honest: what it lies about is what its link says.
 */
export class Forger {
  readonly liar: ReplicaId
  readonly #chance: Chance
  readonly #often: number
  /** What anybody said of late. */
  readonly #heard: Uint8Array[] = []
  readonly #nonces = new Map<ReplicaId, number>()
  forged = 0

  constructor(liar: ReplicaId, chance: Chance) {
    this.liar = liar
    this.#chance = chance
    this.#often = chance.pick([0.01, 0.05, 0.3])
  }

  /** What really leaves instead of these frames. */
  frames(from: ReplicaId, to: ReplicaId, frames: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const frame of frames) {
      if (this.#heard.length < KEPT) this.#heard.push(frame)
      else if (this.#chance.is(0.2)) this.#heard[this.#chance.int(0, KEPT - 1)] = frame
    }
    if (from !== this.liar) return frames
    return frames.flatMap((frame) => {
      const message = decodeMessage(frame)
      if ('nonce' in message) this.#nonces.set(to, message.nonce)
      if (!this.#chance.is(this.#often)) return [frame]
      this.forged++
      const forged = this.#forge(frame, message, to)
      return this.#chance.is(0.5) ? [forged] : [frame, forged]
    })
  }

  #forge(frame: Uint8Array, message: Message, to: ReplicaId): Uint8Array {
    const c = this.#chance
    switch (c.pick(['noise', 'flip', 'cut', 'longer', 'replay', 'words', 'words', 'numbers', 'numbers'] as const)) {
      case 'noise':
        return c.bytes(c.int(0, 64))
      case 'flip': {
        const copy = frame.slice()
        const at = c.int(0, copy.length - 1)
        copy[at] = (copy[at] ?? 0) ^ (1 << c.int(0, 7))
        return copy
      }
      case 'cut':
        return frame.slice(0, c.int(0, frame.length))
      case 'longer':
        return new Uint8Array([...frame, ...c.bytes(c.int(1, 9))])
      case 'replay':
        return c.pick(this.#heard)
      case 'words': {
        const other = decodeMessage(c.pick(this.#heard))
        return encodeMessage('nonce' in other ? { ...other, nonce: this.#nonces.get(to) ?? other.nonce } : other)
      }
      default:
        return this.#numbers(message, frame)
    }
  }

  /** The same word with one of its numbers changed. What the codec does not take stays as it was. */
  #numbers(message: Message, frame: Uint8Array): Uint8Array {
    const c = this.#chance
    const fields = Object.entries(message).filter(([name, value]) => name !== 'nonce' && typeof value === 'number')
    if (fields.length === 0) return frame
    const [name, value] = c.pick(fields) as [string, number]
    const other = c.is(0.5) ? value + c.pick([-1, 1, 2, 2 ** 32, -(2 ** 32)]) : c.pick(NUMBERS)
    try {
      return encodeMessage({ ...message, [name]: Math.max(0, other) as Zxid })
    } catch {
      return frame
    }
  }
}
