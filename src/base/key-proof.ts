import { concat, utf8 } from './bytes.ts'
import type { SessionId } from './ids.ts'

/** A point of P-256, uncompressed: WebCrypto's `raw` (SEC 1, 2.3.3). */
export const PUBLIC_KEY_LENGTH = 65
/** r and s, 32 bytes each: WebCrypto's ECDSA signatures. */
export const SIGNATURE_LENGTH = 64

const NAME = utf8('tabkeeper key\0')

/**
 * What the owner of a key signs, by ECDSA over SHA-256: its session's id and password, which nobody can choose. So a proof is good for
 * one session only, whoever overhears it.
 */
export function keyChallenge(session: SessionId, password: Uint8Array): Uint8Array<ArrayBuffer> {
  const id = new Uint8Array(8)
  new DataView(id.buffer).setBigInt64(0, BigInt.asIntN(64, session))
  return concat([NAME, id, password])
}
