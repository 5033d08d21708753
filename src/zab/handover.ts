/** Leadership passed on in advance: only a hint, the successor still wins election and epoch with a quorum. */
import type { ReplicaId } from '../base/ids.ts'
import type { Order } from './facts.ts'
import { configOf, lastZxid } from './history.ts'
import { isVoter } from './membership.ts'
import { type Leading, type Learner, mark, type Peer } from './peer.ts'
import { stepDown } from './roles.ts'

/** A successor gets everything within this time, milliseconds, or does without. */
const HAND_OVER_MAX = 1000

/** The voter that holds most, one on a server before those in pages; never one that is run for a dead tab. */
export function successor(peer: Peer, role: Leading): Learner | null {
  const config = configOf(peer.history)
  const voters = [...role.learners.values()].filter(
    ({ id, stage, demoted }) =>
      stage === 'active' && !demoted && isVoter(config, id) && peer.links.get(id)?.about.adopted !== true,
  )
  const lasting = (learner: Learner): number => (isLasting(peer, learner.id) ? 1 : 0)
  return voters.sort((a, b) => lasting(b) - lasting(a) || b.acked - a.acked || b.heardAt - a.heardAt)[0] ?? null
}

export const isLasting = (peer: Peer, id: ReplicaId): boolean => peer.links.get(id)?.about.lasting === true

/** 1. The leader stops taking requests and names the voter that holds most. */
export function onStepDownRequested(peer: Peer, reason: string, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'following') return
  if (role.kind !== 'leading' || role.phase !== 'broadcast') return stepDown(peer, reason, orders)
  const best = successor(peer, role)
  if (best === null) return mark(orders, 'no-successor')
  role.handingOver = { to: best.id, until: peer.now + HAND_OVER_MAX }
  tryHandOver(peer, role, orders)
}

/** 2. It holds everything: tell it, and step down. */
export function tryHandOver(peer: Peer, role: Leading, orders: Order[]): void {
  const { handingOver } = role
  if (handingOver === null) return
  const learner = role.learners.get(handingOver.to)
  const last = lastZxid(peer.history)
  const level = learner !== undefined && role.batch.length === 0 && learner.acked === last && peer.durable.zxid === last
  if (level) {
    mark(orders, 'handed-over')
    peer.preferred = { leader: learner.id, until: peer.now + HAND_OVER_MAX }
    orders.push({
      kind: 'send',
      to: learner.id,
      link: learner.link,
      message: { kind: 'handOver', nonce: learner.nonce },
    })
    stepDown(peer, 'handed over', orders)
  } else if (peer.now >= handingOver.until || learner === undefined) stepDown(peer, 'handed over in a hurry', orders)
}
