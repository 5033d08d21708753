import { type EnsembleId, isReplicaId, type ReplicaId, type SessionId } from './ids.ts'

/** A lock of one ensemble in this browser: a worker holds its replica's, a page its session's, both for as long as they live. */
export type LifeLock =
  | { readonly kind: 'replica'; readonly replica: ReplicaId }
  | { readonly kind: 'session'; readonly session: SessionId }

const prefix = (ensemble: EnsembleId): string => `tabkeeper:${ensemble}:`

export const sessionLock = (ensemble: EnsembleId, session: string): string => `${prefix(ensemble)}session:${session}`

/** What this lock's name says, or null: it is not ours. */
export function lifeLockOf(ensemble: EnsembleId, name: string): LifeLock | null {
  if (!name.startsWith(prefix(ensemble))) return null
  const rest = name.slice(prefix(ensemble).length)
  const session = rest.startsWith('session:') ? sessionFromHex(rest.slice('session:'.length)) : null
  if (session !== null) return { kind: 'session', session }
  const replica = Number(rest)
  return isReplicaId(replica) && String(replica) === rest ? { kind: 'replica', replica } : null
}

/** 16 hexadecimal digits. */
export const sessionToHex = (session: SessionId): string => BigInt.asUintN(64, session).toString(16).padStart(16, '0')

/** null: not 16 lower-case hexadecimal digits. */
export const sessionFromHex = (hex: string): SessionId | null =>
  /^[0-9a-f]{16}$/.test(hex) ? (BigInt.asIntN(64, BigInt(`0x${hex}`)) as SessionId) : null
