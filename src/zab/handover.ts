/** Leadership passed on in advance: only a hint, the successor still wins election and epoch with a quorum. */
import type { ReplicaId } from '../base/ids.ts'
import type { Order } from './facts.ts'
import { configOf, lastZxid } from './history.ts'
import { isVoter } from './membership.ts'
import type { HandOver } from './messages.ts'
import { amVoter, type Leading, type Learner, mark, type Peer, speaksVersion } from './peer.ts'
import { stepDown } from './roles.ts'
import { isHidden, isSeen } from './sight.ts'

/** A successor gets everything within this time, milliseconds, or does without. */
const HAND_OVER_MAX = 1000
/** After a leader gave way because its page was hidden, it does not do so again for this long, milliseconds; doubled each time that it comes to it all the same. */
const PAUSE_MIN = 30_000
const PAUSE_MAX = 600_000

const anybody = (): boolean => true

/** The voter that holds most, one on a server before those in pages, pages that are seen before others; never one that is run for a dead tab. */
export function successor(peer: Peer, role: Leading, fits: (learner: Learner) => boolean = anybody): Learner | null {
  const config = configOf(peer.history)
  const voters = [...role.learners.values()].filter(
    (learner) =>
      learner.stage === 'active' &&
      !learner.demoted &&
      isVoter(config, learner.id) &&
      peer.links.get(learner.id)?.about.adopted !== true &&
      fits(learner),
  )
  const stays = ({ id }: Learner): number => (isLasting(peer, id) ? 2 : isSeen(peer, id) ? 1 : 0)
  return voters.sort((a, b) => stays(b) - stays(a) || b.acked - a.acked || b.heardAt - a.heardAt)[0] ?? null
}

export const isLasting = (peer: Peer, id: ReplicaId): boolean => peer.links.get(id)?.about.lasting === true

/** 1. The leader stops taking requests and names the voter that holds most. */
export function onStepDownRequested(peer: Peer, reason: string, orders: Order[]): void {
  const role = peer.role
  if (role.kind === 'following') return
  if (role.kind !== 'leading' || role.phase !== 'broadcast') return stepDown(peer, reason, orders)
  const best = successor(peer, role)
  if (best === null) return mark(orders, 'no-successor')
  handOver(peer, role, best, orders)
}

/**
 * 1. Or by itself: its page has been hidden for long, and a voter whose page is seen, or that has none, is level. Where that one cannot win,
 * the lead comes back. The pauses grow, for with each leader the timeouts of all sessions begin anew: it must not go on like this for ever.
 */
export function giveWay(peer: Peer, role: Leading, orders: Order[]): void {
  const { now, gaveWay } = peer
  const { handoverAfterHidden, silence } = peer.options.timing
  if (!isHidden(peer, peer.options.id) || now - role.since < handoverAfterHidden) return
  if (gaveWay !== null && now < gaveWay.until) return
  const best = successor(
    peer,
    role,
    ({ id, acked, heardAt }) =>
      (isLasting(peer, id) || isSeen(peer, id)) && acked >= peer.committed && now - heardAt < silence,
  )
  if (best === null) return
  mark(orders, 'gives-way')
  const pause = gaveWay === null || now - gaveWay.until > PAUSE_MAX ? PAUSE_MIN : Math.min(PAUSE_MAX, gaveWay.pause * 2)
  peer.gaveWay = { until: now + pause, pause }
  handOver(peer, role, best, orders)
}

function handOver(peer: Peer, role: Leading, { id }: Learner, orders: Order[]): void {
  role.handingOver = { to: id, until: peer.now + HAND_OVER_MAX }
  tryHandOver(peer, role, orders)
}

/** 2. It holds everything: tell it and the others, or they would vote for the highest id, and step down. */
export function tryHandOver(peer: Peer, role: Leading, orders: Order[]): void {
  const { handingOver } = role
  if (handingOver === null) return
  const learner = role.learners.get(handingOver.to)
  const last = lastZxid(peer.history)
  const level = learner !== undefined && role.batch.length === 0 && learner.acked === last && peer.durable.zxid === last
  if (level) {
    mark(orders, 'handed-over')
    const to = learner.id
    peer.preferred = { leader: to, until: peer.now + HAND_OVER_MAX }
    for (const { id, link, nonce } of role.learners.values()) {
      const message: HandOver = { kind: 'handOver', nonce }
      if (id === to) orders.push({ kind: 'send', to: id, link, message })
      else if (isVoter(configOf(peer.history), id) && speaksVersion(peer, id, 2))
        orders.push({ kind: 'send', to: id, link, message: { ...message, to } })
    }
    stepDown(peer, 'handed over', orders)
  } else if (peer.now >= handingOver.until || learner === undefined) stepDown(peer, 'handed over in a hurry', orders)
}

/** 3. A voter: the leader is gone, and who shall follow it is this one, or that. */
export function learnerOnHandOver(peer: Peer, { to }: HandOver, orders: Order[]): void {
  if (to === undefined || to === peer.options.id) mark(orders, 'successor')
  else if (amVoter(peer)) peer.preferred = { leader: to, until: peer.now + HAND_OVER_MAX }
  stepDown(peer, 'the leader hands over', orders)
}
