import { toHex } from '../base/bytes.ts'
import type { ZnodeClient } from '../client/api.ts'
import type { Clock } from '../client/clock.ts'

/** Fills the array with random bytes, as `crypto.getRandomValues` does. */
export type Random = (into: Uint8Array<ArrayBuffer>) => unknown

/** What every recipe stands on: one session, time and chance. */
export interface World {
  readonly client: ZnodeClient
  readonly clock: Clock
  readonly random: Random
}

/** 96 random bits as hexadecimal: names what is created, so that it is found again after a lost reply. */
export function nonce(random: Random): string {
  const bytes = new Uint8Array(12)
  random(bytes)
  return toHex(bytes)
}

/** A number in [0, 1). */
export function chance(random: Random): number {
  const bytes = new Uint8Array(4)
  random(bytes)
  return new DataView(bytes.buffer).getUint32(0) / 2 ** 32
}
