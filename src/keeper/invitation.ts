import { fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { type EnsembleId, isEnsembleId } from '../base/ids.ts'
import { fromBase64, toBase64 } from '../signaling/base64.ts'

/** What somebody needs to become a member, or a client. Whoever has it can: it holds the secret, or the clients' key. */
export interface Invitation {
  /** The ensemble's name. */
  readonly ensemble: string
  readonly id: EnsembleId
  readonly role: 'member' | 'client'
  /** A member's: the secret. A client's: the key of clients, which is not enough for a member. Null: there is no secret. */
  readonly secret: Uint8Array | null
  /** Addresses of signaling servers. */
  readonly signaling: readonly string[]
}

const PREFIX = 'tk1-'
const PARAMETER = 'tabkeeper'
const LENGTH_MAX = 8192

/** One word, without characters that a link would change. */
export function writeInvitation({ ensemble, id, role, secret, signaling }: Invitation): string {
  const client = role === 'client' ? { r: role } : {}
  const plain = { n: ensemble, i: id, ...client, s: secret === null ? null : toBase64(secret), u: signaling }
  const text = toBase64(utf8(JSON.stringify(plain)))
  return PREFIX + text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** In the fragment, which browsers send to no server; what else is in it stays. */
export function invitationLink(page: string, invitation: string): string {
  if (!URL.canParse(page)) throw new KeeperError('BadArguments', 'page must be a whole address', { path: 'page' })
  const url = new URL(page)
  const parameters = new URLSearchParams(url.hash.slice(1))
  parameters.set(PARAMETER, invitation)
  url.hash = parameters.toString()
  return url.href
}

/** Takes what `writeInvitation` or `invitationLink` made. Throws `BadArguments`. */
export function readInvitation(text: string): Invitation {
  const word = wordOf(text)
  const bytes = word === null ? null : fromBase64(word.replaceAll('-', '+').replaceAll('_', '/'))
  const read = bytes === null ? null : parse(bytes)
  if (read === null)
    throw new KeeperError('BadArguments', 'This is no invitation, or it was cut short.', { path: 'invitation' })
  return read
}

function wordOf(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > LENGTH_MAX) return null
  const hash = URL.canParse(text) ? new URL(text).hash.slice(1) : null
  const word = hash === null ? text.trim() : new URLSearchParams(hash).get(PARAMETER)
  return word?.startsWith(PREFIX) === true ? word.slice(PREFIX.length) : null
}

function parse(bytes: Uint8Array): Invitation | null {
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(bytes))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { n, i, r, s, u } = value as { readonly [field in 'n' | 'i' | 'r' | 's' | 'u']?: unknown }
  if (typeof n !== 'string' || !isEnsembleId(i) || !(s === null || typeof s === 'string')) return null
  if (!Array.isArray(u) || !u.every((one): one is string => typeof one === 'string')) return null
  if (r !== undefined && r !== 'client') return null
  const secret = s === null ? null : fromBase64(s)
  return s !== null && secret === null ? null : { ensemble: n, id: i, role: r ?? 'member', secret, signaling: u }
}
