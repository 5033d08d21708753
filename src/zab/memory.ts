/**
 * What a peer remembers of the others, so that a store which went backwards (a restored profile, a disk that lied) is told so. Kept are
 * promises and acknowledgements that this peer has counted; on the disk they go along with what is written anyway.
 */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { Change, Order } from './facts.ts'
import { configOf } from './history.ts'
import { isVoter } from './membership.ts'
import { mark, type Peer } from './peer.ts'
import { isBehind, most, type Standing } from './standing.ts'
import { write } from './writes.ts'

/** It was counted, so it must not be forgotten. */
export function remember(peer: Peer, id: ReplicaId, said: Standing): void {
  const before = peer.memory.get(id)
  if (before !== undefined && !isBehind(before, said)) return
  peer.memory.set(id, before === undefined ? said : most(before, said))
  peer.memoryDue = true
}

/** It was let in again with this: what it lost is forgiven. */
export function forgive(peer: Peer, id: ReplicaId, has: Standing): void {
  peer.memory.set(id, has)
  peer.memoryDue = true
}

/** For a write that happens anyway. Only voters are remembered, so that this stays small. */
export function takeMemory(peer: Peer): Change[] {
  if (!peer.memoryDue) return []
  peer.memoryDue = false
  const config = configOf(peer.history)
  for (const id of peer.memory.keys()) if (!isVoter(config, id)) peer.memory.delete(id)
  return [{ kind: 'remember', of: [...peer.memory].map(([id, standing]) => ({ id, ...standing })) }]
}

/** With the heartbeat, and when a role ends: at most one write for each. */
export function keepMemory(peer: Peer, orders: Order[]): void {
  const changes = takeMemory(peer)
  if (changes.length > 0) write(peer, changes, { kind: 'nothing' }, orders)
}

/** Is this less than what it had? Then it is told, and what it says counts for nothing. What is not known is left out. */
export function tellIfBehind(
  peer: Peer,
  id: ReplicaId,
  link: LinkId,
  says: Partial<Standing>,
  orders: Order[],
): boolean {
  const then = peer.memory.get(id)
  if (then === undefined || !isVoter(configOf(peer.history), id) || !isBehind({ ...then, ...says }, then)) return false
  mark(orders, 'regression-seen', String(id))
  orders.push({ kind: 'send', to: id, link, message: { kind: 'regressed', ...then } })
  return true
}
