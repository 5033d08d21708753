import { ERROR_CODES } from '../../src/base/errors.ts'
import type { ReplicaId } from '../../src/base/ids.ts'
import { lastZxid } from '../../src/zab/history.ts'
import type { Peer, RoleState } from '../../src/zab/peer.ts'
import type { DiskState } from './disk.ts'
import type { LogEntry, SessionHistory } from './history/types.ts'

interface Seen {
  role: RoleState
  /** A plan has come, NEWLEADER has not. */
  syncing: boolean
  /** The end of the log when NEWLEADER had come. */
  newLeaderAt: number | null
  behind: boolean
  base: number
  learners: number
}

/** Moments that the core has no name for, seen from outside after every event. It draws nothing and changes nothing: lives stay as they are. */
export class Rare {
  readonly #count: (name: string) => void
  readonly #seen = new Map<ReplicaId, Seen>()

  constructor(count: (name: string) => void) {
    this.#count = count
  }

  look(peer: Readonly<Peer>, disk: DiskState): void {
    const { role } = peer
    const { id } = peer.options
    let seen = this.#seen.get(id)
    if (seen?.role !== role) {
      if (seen?.syncing === true) this.#count('sync-aborted')
      if (role.kind === 'looking' && peer.history.configs.at(-1)?.config.old) this.#count('joint-in-election')
      seen = { role, syncing: false, newLeaderAt: null, behind: false, base: disk.base, learners: 0 }
      this.#seen.set(id, seen)
    }
    if (role.kind === 'following') this.#following(peer, seen)
    if (role.kind === 'leading' && role.phase === 'broadcast' && role.learners.size !== seen.learners) {
      if (role.learners.size > seen.learners && seen.learners > 0) this.#count('late-follower')
      seen.learners = role.learners.size
    }
    const behind = peer.committed > peer.durable.zxid
    if (behind && !seen.behind) this.#count('commit-waits-for-the-log')
    seen.behind = behind
    if (disk.base > seen.base && peer.delivered > disk.base) this.#count('snapshot-while-committing')
    seen.base = disk.base
  }

  #following(peer: Readonly<Peer>, seen: Seen): void {
    const role = seen.role
    if (role.kind !== 'following') return
    seen.syncing = role.phase === 'synchronization' && role.staged !== null
    if (role.phase !== 'durable') return
    const end = lastZxid(peer.history)
    if (seen.newLeaderAt === null) seen.newLeaderAt = end
    else if (end > seen.newLeaderAt) {
      this.#count('proposal-before-uptodate')
      seen.newLeaderAt = Number.POSITIVE_INFINITY
    }
  }
}

const epochOf = (zxid: number): number => Math.floor(zxid / 2 ** 32)

/** The same of what clients saw: watches that came along to another replica, requests of a connection whose session had gone elsewhere, ephemerals of sessions of an earlier epoch that were reaped. */
export function rareDays(log: readonly LogEntry[], sessions: readonly SessionHistory[]) {
  const days = { rearmed: 0, 'moved-refused': 0, 'reaped-after-failover': 0 }
  for (const { events } of sessions) {
    for (const event of events) {
      if (event.kind === 'invoke' && event.op.kind === 'setWatches') days.rearmed++
    }
  }
  const began = new Map(
    log.flatMap(({ body, session, zxid }) => (body.kind === 'createSession' ? [[session, zxid]] : [])),
  )
  for (const { body, session, zxid } of log) {
    const since = began.get(session)
    if (body.kind === 'error' && body.code === ERROR_CODES.SessionMoved) days['moved-refused']++
    if (body.kind !== 'closeSession' || body.paths.length === 0 || since === undefined) continue
    if (epochOf(since) < epochOf(zxid)) days['reaped-after-failover']++
  }
  return days
}
