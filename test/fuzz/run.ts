import { isDeepStrictEqual } from 'node:util'
import { DecodeError } from '../../src/jute/reader.ts'
import { Dice, mutated } from './mutate.ts'
import type { Target } from './targets.ts'

/** What one decoding may take on a machine that does other things too. */
const HANG_MS = 2000
/** One frame in so many is decoded twice and weighed. */
const CLOSER_LOOK = 32
/** A decoded value is objects of few fields a byte: in units of eight bytes, this many a byte of the frame, and some to begin with. */
const UNITS_A_BYTE = 12
const UNITS_FREE = 512

export interface Verdict {
  readonly frames: number
  readonly refused: number
  readonly read: number
  readonly slowestMs: number
}

/** Decodes so many mutated frames. Throws at the first that does anything but be read or be refused with DecodeError. */
export function fuzz(targets: readonly Target[], frames: number, seed: number): Verdict {
  const dice = new Dice(seed)
  let refused = 0
  let slowestMs = 0
  for (let frame = 0; frame < frames; frame++) {
    const { name, samples, decode } = targets[frame % targets.length] as Target
    const pick = (): Uint8Array => samples[dice.below(samples.length)] as Uint8Array
    const bytes = mutated(pick(), pick(), dice)
    const began = performance.now()
    const read = tried(decode, bytes, name)
    const took = performance.now() - began
    slowestMs = Math.max(slowestMs, took)
    if (took > HANG_MS) throw new Error(`${name}: ${took} ms for ${hex(bytes)}`)
    if (read === REFUSED) refused++
    if (frame % CLOSER_LOOK < targets.length && frame % (CLOSER_LOOK * targets.length) < targets.length) {
      lookCloser({ name, samples, decode }, bytes, read)
    }
  }
  return { frames, refused, read: frames - refused, slowestMs }
}

const REFUSED = Symbol('refused')

function tried(decode: Target['decode'], bytes: Uint8Array, name: string): unknown {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return REFUSED
    throw new Error(`${name}: ${String(error)} for ${hex(bytes)}`, { cause: error })
  }
}

/** Within other bytes it reads the same: nothing before it, nothing behind it. And what it makes is in proportion. */
function lookCloser(target: Target, bytes: Uint8Array, read: unknown): void {
  const around = new Uint8Array(bytes.length + 64).fill(0xa5)
  around.set(bytes, 32)
  const again = tried(target.decode, around.subarray(32, 32 + bytes.length), target.name)
  if (!isDeepStrictEqual(again, read)) throw new Error(`${target.name}: reads beyond its end for ${hex(bytes)}`)
  if (read === REFUSED) return
  const units = weigh(read)
  if (units > UNITS_FREE + UNITS_A_BYTE * bytes.length)
    throw new Error(`${target.name}: ${bytes.length} bytes become ${units} units for ${hex(bytes)}`)
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return 2 + value.length / 4
  if (value instanceof Uint8Array) return 4
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + 1 + weigh(one), 2)
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).reduce((sum: number, one) => sum + 1 + weigh(one), 2)
  }
  return 0
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
