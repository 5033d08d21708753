/**
 * Whose pages are seen: a hidden one may be throttled, frozen or thrown away by its browser, so it should not lead where another can.
 * Learners say so in their pongs.
 */
import type { ReplicaId } from '../base/ids.ts'
import type { Pong } from './messages.ts'
import { type Following, type Learner, type Peer, speaksVersion } from './peer.ts'

export interface Sight {
  readonly hidden: boolean
  readonly since: number
}

/** A leader that gave way because its page was hidden does not do so again before `until`; the pause grows. */
export interface GaveWay {
  readonly until: number
  readonly pause: number
}

export function onVisibilityChanged(peer: Peer, hidden: boolean): void {
  if (peer.sight.hidden !== hidden) peer.sight = { hidden, since: peer.now }
}

/** Learner: the answer to a ping, or what it says of sessions by itself. */
export function pongOf(peer: Peer, { leader, nonce, token }: Following, touched: Uint8Array): Pong {
  const pong: Pong = { kind: 'pong', nonce, token, touched }
  return speaksVersion(peer, leader, 2) ? { ...pong, hidden: peer.sight.hidden } : pong
}

/** Leader: what a learner said. */
export function sawLearner(peer: Peer, { id }: Learner, { hidden }: Pong): void {
  const link = peer.links.get(id)
  if (link !== undefined && hidden !== undefined && link.sight?.hidden !== hidden)
    link.sight = { hidden, since: peer.now }
}

const sightOf = (peer: Peer, id: ReplicaId): Sight | null =>
  id === peer.options.id ? peer.sight : (peer.links.get(id)?.sight ?? null)

/** Its page has been seen for a while, for all that is known; of a replica without a page nothing is. */
export function isSeen(peer: Peer, id: ReplicaId): boolean {
  const sight = sightOf(peer, id)
  return sight !== null && !sight.hidden && peer.now - sight.since >= peer.options.timing.steady
}

/** Its page has been hidden for long. */
export function isHidden(peer: Peer, id: ReplicaId): boolean {
  const sight = sightOf(peer, id)
  return sight?.hidden === true && peer.now - sight.since >= peer.options.timing.handoverAfterHidden
}
