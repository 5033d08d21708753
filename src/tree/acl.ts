import { sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8 } from '../base/bytes.ts'
import { PERMISSIONS } from '../jute/opcodes.ts'
import type { AclRecord } from '../jute/records.ts'
import { base64 } from './base64.ts'
import { ipMatches, isIpPattern } from './ip.ts'

/** Whom a connection has proved to be: `digest:user:hash`, `key:hash`, `ip:address`, `super:`. */
export interface Identity {
  readonly scheme: string
  readonly id: string
}

export type Acls = readonly AclRecord[]

export const OPEN_ACL: Acls = Object.freeze([{ perms: PERMISSIONS.all, scheme: 'world', id: 'anyone' }])
export const READ_ACL: Acls = Object.freeze([{ perms: PERMISSIONS.read, scheme: 'world', id: 'anyone' }])

/** `user:password` → `user:base64(sha1(user:password))`. ZooKeeper: DigestAuthenticationProvider.generateDigest. */
export const digestId = (userPassword: string): string =>
  `${userPassword.split(':', 1)[0] ?? ''}:${base64(sha1(utf8(userPassword)))}`

/** A public key's name in ACLs: base64(sha256(its 65 bytes)). */
export const keyId = (publicKey: Uint8Array): string => base64(sha256(publicKey))

const KEY_ID = /^[A-Za-z0-9+/]{43}=$/
/** Schemes whose identities a session proves by an auth packet, so that `auth` means them. */
const isProved = ({ scheme }: Identity): boolean => scheme === 'digest' || scheme === 'key'

/** ZooKeeper: PrepRequestProcessor.checkACL. An empty list allows everything. */
export function allows(acl: Acls, perms: number, who: readonly Identity[]): boolean {
  if (acl.length === 0) return true
  for (const entry of acl) if ((entry.perms & perms) !== 0 && matches(entry, who)) return true
  return who.some((identity) => identity.scheme === 'super')
}

function matches(entry: AclRecord, who: readonly Identity[]): boolean {
  if (entry.scheme === 'world') return entry.id === 'anyone'
  return who.some(
    (one) =>
      one.scheme === entry.scheme &&
      (one.scheme === 'ip' ? ipMatches(one.id, entry.id) : isProved(one) && one.id === entry.id),
  )
}

/** The list as it is stored, or null: InvalidACL. ZooKeeper: PrepRequestProcessor.fixupACL. */
export function fixedAcl(acl: Acls, who: readonly Identity[]): Acls | null {
  if (acl.length === 1 && acl[0]?.scheme === 'world') return acl[0].id === 'anyone' ? acl : null
  const out: AclRecord[] = []
  const seen = new Set<string>()
  for (const entry of acl) {
    const key = `${entry.perms}:${entry.scheme}:${entry.id}`
    if (seen.has(key)) continue
    seen.add(key)
    if (entry.scheme === 'auth') {
      const own = who.filter(isProved)
      if (own.length === 0) return null
      for (const { scheme, id } of own) out.push({ perms: entry.perms, scheme, id })
    } else if (isValidEntry(entry)) out.push(entry)
    else return null
  }
  return out.length === 0 ? null : out
}

function isValidEntry({ scheme, id }: AclRecord): boolean {
  if (scheme === 'world') return id === 'anyone'
  if (scheme === 'ip') return isIpPattern(id)
  if (scheme === 'key') return KEY_ID.test(id)
  // Java's split: empty parts at the end do not count.
  return scheme === 'digest' && id.replace(/:+$/, '').split(':').length === 2
}

/** What a session without ADMIN may see of a list: no hashes. */
export const maskedAcl = (acl: Acls): Acls =>
  acl.map((entry) => (entry.scheme === 'digest' ? { ...entry, id: `${entry.id.split(':', 1)[0]}:x` } : entry))

/** One object for the list that almost every node has. */
export const sharedAcl = (acl: Acls): Acls => {
  const only = acl.length === 1 ? acl[0] : undefined
  return only?.perms === PERMISSIONS.all && only.scheme === 'world' ? OPEN_ACL : acl
}
