import { equalBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { digestId, type Identity } from '../tree/acl.ts'

/**
 * The identities that an `auth` packet proves, or null: AuthFailed. `superDigest` (`user:hash`) names who passes every check.
 * ZooKeeper: AuthenticationProvider, DigestAuthenticationProvider.
 */
export function identities(
  scheme: string,
  auth: Uint8Array | null,
  address: string,
  superDigest: string | undefined,
): readonly Identity[] | null {
  if (scheme === 'ip') return address === '' ? null : [{ scheme, id: address }]
  const secret = auth === null ? null : text(auth)
  if (scheme !== 'digest' || secret === null) return null
  const id = digestId(secret)
  const own = { scheme, id }
  if (superDigest === undefined || !equalBytes(utf8(id), utf8(superDigest))) return [own]
  return [{ scheme: 'super', id: '' }, own]
}

function text(bytes: Uint8Array): string | null {
  try {
    return fromUtf8(bytes)
  } catch {
    return null
  }
}
