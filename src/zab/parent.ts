/**
 * Whom an observer follows: the leader while it has room, else one of its followers, else the leader all the same. Pure policy on both
 * sides; voters always follow the leader. ZooKeeper: ObserverMaster, where the administrator decides.
 */
import type { ReplicaId } from '../base/ids.ts'
import type { Order } from './facts.ts'
import { configOf } from './history.ts'
import { isVoter } from './membership.ts'
import type { Notification, Ping, Redirect } from './messages.ts'
import { amVoter, chance, type Following, type Leading, type Learner, type Looking, mark, type Peer } from './peer.ts'
import { startFollowing, stepDown } from './roles.ts'

/** So many followers are named at most: enough to choose from. */
const NAMED_MAX = 16
/** Silences that an observer waits for a link to somebody who was named, before it insists. */
const NAMED_WAIT = 2

/** Leader: the followers that could take an observer. */
function relaysOf(peer: Peer, role: Leading): ReplicaId[] {
  const config = configOf(peer.history)
  const relays: ReplicaId[] = []
  for (const { id, mode, stage, demoted } of role.learners.values())
    if (mode === 'follower' && stage === 'active' && !demoted && isVoter(config, id)) relays.push(id)
  return relays.slice(0, NAMED_MAX)
}

const observersAt = (role: Leading): number => {
  let count = 0
  for (const { mode, stage } of role.learners.values())
    if (mode === 'observer' && (stage === 'syncing' || stage === 'active')) count++
  return count
}

/** Leader, before it synchronizes an observer: no room, and others may have some. It is told, and gone from here. */
export function redirected(peer: Peer, role: Leading, learner: Learner, orders: Order[]): boolean {
  if (learner.mode !== 'observer' || learner.demoted || learner.insists) return false
  if (observersAt(role) < peer.options.observersMax) return false
  const to = relaysOf(peer, role)
  if (to.length === 0) return false
  role.learners.delete(learner.id)
  mark(orders, 'leader-full')
  redirect(peer, learner, peer.options.id, to, orders)
  return true
}

export function redirect(
  peer: Peer,
  { id, link, nonce }: Pick<Learner, 'id' | 'link' | 'nonce'>,
  leader: ReplicaId,
  to: readonly ReplicaId[],
  orders: Order[],
): void {
  if (peer.links.get(id)?.link !== link) return
  orders.push({ kind: 'send', to: id, link, message: { kind: 'redirect', nonce, leader, to } })
}

/** Leader: fewer voters are here than there should be, and too few that could become some: those below relays are asked for. */
export function wantsObservers(peer: Peer, role: Leading): boolean {
  const config = configOf(peer.history)
  if (config === null || role.phase !== 'broadcast') return false
  let [voters, others] = [1, 0]
  for (const { id } of role.learners.values()) {
    if (isVoter(config, id)) voters++
    else others++
  }
  return voters + others < peer.options.voters
}

/** Leader: those that somebody wants to vote and that do not follow it: they may be below a relay. */
export function namedObservers(peer: Peer, { change, learners }: Leading): readonly ReplicaId[] {
  if (change === null || change.tag === null) return []
  return change.voters.filter((id) => id !== peer.options.id && !learners.has(id)).slice(0, NAMED_MAX)
}

/** Observer: no room there. It looks for another place, first of all among those that were named. */
export function learnerOnRedirect(peer: Peer, role: Following, message: Redirect, orders: Order[]): void {
  mark(orders, 'redirected')
  const { search } = peer
  const goesOn = search?.leader === message.leader && role.leader !== message.leader
  const untried = goesOn ? search.untried : message.to
  peer.search = {
    leader: message.leader,
    untried: untried.slice(0, NAMED_MAX).filter((id) => id !== peer.options.id && id !== message.leader),
    until: goesOn ? search.until : peer.now + NAMED_WAIT * peer.options.timing.silence,
  }
  stepDown(peer, 'no room there', orders)
}

/** The leader that lately asked this observer, which follows another, to come near. */
export const wantedBy = (peer: Peer, role: Following): ReplicaId | null =>
  peer.now < role.wantedUntil && role.head !== role.leader ? role.head : null

/** The leader wants observers near, to make voters of them: a relay says so to those below, and one below goes up if it can. */
export function learnerOnWanted(peer: Peer, role: Following, { wanted, named }: Ping, orders: Order[]): void {
  const { head, leader, phase, relay } = role
  if (phase !== 'broadcast') return
  if (head === null || head === leader) {
    relay.wanted ||= wanted
    relay.named = named ?? []
    return
  }
  if (!wanted) return
  role.wantedUntil = peer.now + peer.options.timing.establish
  goUp(peer, role, orders)
}

/** As soon as there is a link to the leader: the host opens one (see `wantedBy`). */
export function goUp(peer: Peer, role: Following, orders: Order[]): void {
  const head = wantedBy(peer, role)
  if (head === null || !peer.links.has(head)) return
  mark(orders, 'goes-up')
  peer.search = { leader: head, untried: [], until: peer.now }
  stepDown(peer, 'the leader wants observers near', orders)
}

/**
 * Looking, and the disk has caught up: the next one that was named. The first of their links may open a moment later than the leader's
 * did. When all in reach were asked, the leader takes it whatever room it has.
 */
export function searchOn(peer: Peer, orders: Order[]): void {
  const { search } = peer
  if (search === null) return
  // A voter by its own log, it may be: the leader knows better.
  const reachable = search.untried.filter((id) => peer.links.has(id))
  const next = reachable[Math.floor(chance(peer) * reachable.length)]
  if (next !== undefined) {
    peer.search = { ...search, untried: search.untried.filter((id) => id !== next), until: peer.now }
    return startFollowing(peer, next, orders)
  }
  if (search.untried.length > 0 && peer.now < search.until) return
  peer.search = null
  if (!peer.links.has(search.leader)) return
  mark(orders, 'insists')
  startFollowing(peer, search.leader, orders, true)
}

/** Looking: the leader has said that it has no room, and others are still to be asked. */
export const looksElsewhere = (peer: Peer, leader: ReplicaId): boolean => peer.search?.leader === leader

/** Looking: a follower says that it has room. Kept until the leader had time to speak for itself. */
export function onOffer(peer: Peer, role: Looking, from: ReplicaId, n: Notification): void {
  if (n.state === 'following' && n.established && n.room) role.offers.set(from, { leader: n.leader, at: peer.now })
  else role.offers.delete(from)
}

/** Looking, as time passes: whoever cannot hear the leader takes what a follower offers. */
export function takeOffer(peer: Peer, role: Looking, orders: Order[]): void {
  if (role.offers.size === 0 || amVoter(peer) || peer.demoted) return
  const { finalizeVote, silence } = peer.options.timing
  const ripe: ReplicaId[] = []
  for (const [id, { leader, at }] of role.offers) {
    if (peer.links.has(id) && peer.now - at >= (peer.links.has(leader) ? silence : finalizeVote)) ripe.push(id)
  }
  const chosen = ripe[Math.floor(chance(peer) * ripe.length)]
  if (chosen === undefined) return
  mark(orders, 'offer-taken')
  startFollowing(peer, chosen, orders)
}
