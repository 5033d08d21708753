import { assert } from '../base/assert.ts'
import type { SessionId } from '../base/ids.ts'

export interface Drawn {
  /** Positive, so that no container or TTL mark can be mistaken for it. */
  readonly session: SessionId
  readonly password: Uint8Array
  /** Below 2^48, never 0. */
  readonly origin: number
}

/** A session's id, its password, and a connection's name, out of 32 random bytes. */
export function drawSession(entropy: Uint8Array): Drawn {
  assert(entropy.length >= 32, '32 random bytes are needed')
  const view = new DataView(entropy.buffer, entropy.byteOffset, 32)
  const session = BigInt.asUintN(63, view.getBigUint64(0)) || 1n
  return {
    session: session as SessionId,
    password: entropy.slice(8, 24),
    origin: view.getUint16(24) * 2 ** 32 + view.getUint32(26) || 1,
  }
}
