import { concat } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import { keyChallenge } from '../base/key-proof.ts'
import { refuse } from './arguments.ts'

/** The half of a key pair that may leave the page, and the half that may not (make it with `extractable: false`). */
export type KeyPair = Pick<CryptoKeyPair, 'publicKey' | 'privateKey'>

const isP256 = (key: unknown, type: 'public' | 'private'): key is CryptoKey => {
  if (typeof key !== 'object' || key === null || !('algorithm' in key) || !('type' in key) || key.type !== type)
    return false
  const { name, namedCurve } = (key.algorithm ?? {}) as Partial<EcKeyAlgorithm>
  return name === 'ECDSA' && namedCurve === 'P-256'
}

/**
 * The id of a public key (ECDSA, P-256) in the ACL scheme `key`: base64 of the SHA-256 of its raw form. Rejects with BadArguments, or
 * Unsupported outside of a secure context.
 */
export async function keyId(publicKey: CryptoKey): Promise<string> {
  if (!isP256(publicKey, 'public')) throw refuse('publicKey', 'must be a public key for ECDSA with P-256')
  if (!publicKey.extractable) throw refuse('publicKey', 'must be one that can be exported')
  const digest = await subtle().digest('SHA-256', await rawOf(publicKey))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}

/** What an `auth` packet of the scheme `key` holds: the public key, and its signature of the session's challenge. */
export async function proveKey(pair: KeyPair, session: SessionId, password: Uint8Array): Promise<Uint8Array> {
  const signature = await subtle().sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    pair.privateKey,
    keyChallenge(session, password),
  )
  return concat([new Uint8Array(await rawOf(pair.publicKey)), new Uint8Array(signature)])
}

export function checkKeyPair(pair: KeyPair): void {
  const { publicKey, privateKey } = pair ?? {}
  if (!isP256(publicKey, 'public') || !isP256(privateKey, 'private') || privateKey.usages?.includes('sign') !== true)
    throw refuse('pair', 'must be a pair of keys for ECDSA with P-256 that may sign')
  if (!publicKey.extractable) throw refuse('pair', 'must have a public key that can be exported')
}

const rawOf = (publicKey: CryptoKey): Promise<ArrayBuffer> => subtle().exportKey('raw', publicKey)

/** Not there outside of secure contexts. */
function subtle(): SubtleCrypto {
  const { subtle } = globalThis.crypto as { readonly subtle?: SubtleCrypto }
  if (subtle === undefined) throw new KeeperError('Unsupported', 'crypto.subtle is there in secure contexts only')
  return subtle
}
