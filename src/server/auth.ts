import { p256 } from '@noble/curves/nist.js'
import { equalBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH } from '../base/key-proof.ts'
import { digestId, type Identity, keyId } from '../tree/acl.ts'

export interface Asking {
  /** Of the client; empty: it has none. */
  readonly address: string
  /** What a key has to sign (`keyChallenge`); null: the session is not there yet. */
  readonly challenge: () => Uint8Array | null
  /** `user:hash`: who passes every check. */
  readonly superDigest: string | undefined
}

/** The identities that an `auth` packet proves, or null: AuthFailed. ZooKeeper: AuthenticationProvider, DigestAuthenticationProvider. */
export function identities(
  scheme: string,
  auth: Uint8Array | null,
  { address, challenge, superDigest }: Asking,
): readonly Identity[] | null {
  if (scheme === 'ip') return address === '' ? null : [{ scheme, id: address }]
  if (scheme === 'key') {
    const message = challenge()
    if (auth === null || message === null || !isProof(auth, message)) return null
    return [{ scheme, id: keyId(auth.subarray(0, PUBLIC_KEY_LENGTH)) }]
  }
  const secret = auth === null ? null : text(auth)
  if (scheme !== 'digest' || secret === null) return null
  const id = digestId(secret)
  const own = { scheme, id }
  if (superDigest === undefined || !equalBytes(utf8(id), utf8(superDigest))) return [own]
  return [{ scheme: 'super', id: '' }, own]
}

/** A public key and its signature. WebCrypto makes both halves of the values of s. */
function isProof(proof: Uint8Array, message: Uint8Array): boolean {
  if (proof.length !== PUBLIC_KEY_LENGTH + SIGNATURE_LENGTH) return false
  try {
    const publicKey = proof.subarray(0, PUBLIC_KEY_LENGTH)
    return p256.verify(proof.subarray(PUBLIC_KEY_LENGTH), message, publicKey, { lowS: false })
  } catch {
    return false
  }
}

function text(bytes: Uint8Array): string | null {
  try {
    return fromUtf8(bytes)
  } catch {
    return null
  }
}
