import { NO_SESSION, type SessionId } from '../base/ids.ts'

/** What kind of node the stored `ephemeralOwner` makes. ZooKeeper: EphemeralType. */
export type OwnerKind = 'persistent' | 'ephemeral' | 'container' | 'ttl'

export const PERSISTENT = 0n
export const CONTAINER: bigint = -(2n ** 63n)
/** The top byte is 0xff, the lower five hold the milliseconds. */
const TTL_BASE = BigInt.asIntN(64, 0xffn << 56n)
export const TTL_MAX: number = 2 ** 40 - 1

export const isTtl = (ttl: number): boolean => Number.isSafeInteger(ttl) && ttl > 0 && ttl <= TTL_MAX

export const ttlOwner = (ttl: number): bigint => TTL_BASE | BigInt(ttl)

export const ttlOf = (owner: bigint): number => Number(BigInt.asUintN(40, owner))

export function ownerKind(owner: bigint): OwnerKind {
  if (owner === PERSISTENT) return 'persistent'
  if (owner === CONTAINER) return 'container'
  return owner < 0n && owner >= TTL_BASE ? 'ttl' : 'ephemeral'
}

/** What a Stat shows: the session of an ephemeral, else none. */
export const visibleOwner = (owner: bigint): SessionId =>
  ownerKind(owner) === 'ephemeral' ? (owner as SessionId) : NO_SESSION
