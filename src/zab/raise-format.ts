import type { ReplicaId } from '../base/ids.ts'
import { proposeRecord } from './broadcast.ts'
import type { Order } from './facts.ts'
import { type Config, encodeConfig, FIRST_FORMAT, formatOf, votersOf } from './membership.ts'
import { type Leading, mark, type Peer } from './peer.ts'

/** Leader, while no change of voters is under way: 1. everybody knows more than the log uses. 2. The record from which on it may. */
export function raiseFormat(peer: Peer, role: Leading, config: Config, orders: Order[]): void {
  if (peer.options.format <= formatOf(config) || role.handingOver !== null || role.awaiting !== null) return
  const known = knownToAll(peer, role, config)
  if (known <= formatOf(config)) return
  mark(orders, 'format-raised', String(known))
  proposeRecord(peer, role, 'config', encodeConfig({ ...config, format: known }), orders)
}

/** Of a voter that is away nothing is known: it may come back as it was. */
function knownToAll(peer: Peer, role: Leading, config: Config): number {
  const others = new Set<ReplicaId>([...votersOf(config), ...role.learners.keys()])
  others.delete(peer.options.id)
  let known = peer.options.format
  for (const id of others) known = Math.min(known, peer.links.get(id)?.about.format ?? FIRST_FORMAT)
  return known
}
