/** Who is still there: heartbeats, silence, closed links, gaps in the clock. Only time and links decide here, never content. */
import type { LinkId, ReplicaId } from '../base/ids.ts'
import { autopilotOnTick } from './autopilot.ts'
import { judgeTrees } from './digests.ts'
import { candidateLost, currentNotification, decide, lookingOnTick } from './election.ts'
import type { Order, PeerAbout } from './facts.ts'
import { tryHandOver } from './handover.ts'
import { configOf } from './history.ts'
import { keepMemory } from './memory.ts'
import { goUp } from './parent.ts'
import { chance, counted, type Following, type Leading, mark, type Peer } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { relayOnTick } from './relay.ts'
import { stepDown } from './roles.ts'
import { pingAll } from './sync-read.ts'

export function onTicked(peer: Peer, now: number, orders: Order[]): void {
  peer.now = Math.max(peer.now, now)
  const role = peer.role
  if (role.kind === 'looking') lookingOnTick(peer, role, orders)
  else if (role.kind === 'following') followingOnTick(peer, role, orders)
  else leadingOnTick(peer, role, orders)
}

/** This replica slept. Whatever it was, others may have gone on without it; what waits in the inbox is stale. */
export function onWoke(peer: Peer, now: number, gap: number, orders: Order[]): void {
  peer.now = Math.max(peer.now, now)
  for (const link of peer.links.values()) link.heardAt = peer.now
  if (peer.role.kind === 'looking') return
  mark(orders, 'resume-gap-stepdown', `${Math.round(gap)} ms`)
  stepDown(peer, 'this replica slept', orders)
}

/** Fixed timeouts never elect on slow links and disks: whoever waited in vain waits longer the next time, and less again once all is well. */
const PATIENCE_MAX = 8
const PATIENCE_GROWTH = 1.5
/** Of an established role less: a leader that nobody hears must not serve reads for long. */
const SILENCE_PATIENCE_MAX = 3
/** A role that holds for this long, milliseconds, takes one step of it back. */
const CALM = 20_000

const silenceOf = (peer: Peer): number => peer.options.timing.silence * Math.min(SILENCE_PATIENCE_MAX, peer.patience)

export function waitedInVain(peer: Peer, reason: string, orders: Order[]): void {
  peer.patience = Math.min(PATIENCE_MAX, peer.patience * PATIENCE_GROWTH * (0.9 + chance(peer) / 5))
  stepDown(peer, reason, orders)
}

function calmDown(peer: Peer, role: Following | Leading): void {
  if (peer.patience === 1 || peer.now - role.calmAt < CALM) return
  role.calmAt = peer.now
  peer.patience = Math.max(1, peer.patience / PATIENCE_GROWTH)
}

function followingOnTick(peer: Peer, role: Following, orders: Order[]): void {
  const { timing } = peer.options
  if (role.phase !== 'broadcast') {
    if (peer.now - role.progressAt > timing.establish * peer.patience) {
      waitedInVain(peer, 'no synchronization in time', orders)
    }
    return
  }
  if (peer.now - role.heardAt > silenceOf(peer)) return waitedInVain(peer, 'the leader is silent', orders)
  relayOnTick(peer, role, orders)
  goUp(peer, role, orders)
  if (peer.role !== role) return
  calmDown(peer, role)
}

function leadingOnTick(peer: Peer, role: Leading, orders: Order[]): void {
  const { timing } = peer.options
  if (role.phase !== 'broadcast') {
    if (peer.now - role.since > timing.establish * peer.patience) waitedInVain(peer, 'not established in time', orders)
    return
  }
  if (peer.now - role.pingedAt >= timing.heartbeat) {
    pingAll(peer, role, orders)
    keepMemory(peer, orders)
  }
  leaderCheckQuorum(peer, role, orders)
  if (peer.role !== role) return
  calmDown(peer, role)
  judgeTrees(peer, role, orders)
  if (peer.role !== role) return
  tryHandOver(peer, role, orders)
  if (peer.role === role && role.handingOver === null) autopilotOnTick(peer, role, orders)
}

/** A leader without a quorum in reach is none (Z-1699: of every active configuration). */
export function leaderCheckQuorum(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (role.phase !== 'broadcast' || config === null) return
  const silence = silenceOf(peer)
  const heard = (id: ReplicaId): boolean => {
    const learner = counted(role, id)
    return id === peer.options.id || (learner !== undefined && peer.now - learner.heardAt <= silence)
  }
  if (hasQuorum(config, heard)) return
  // Links that closed are an answer; silence may only be slowness.
  const linked = (id: ReplicaId): boolean => id === peer.options.id || counted(role, id) !== undefined
  if (hasQuorum(config, linked)) waitedInVain(peer, 'no quorum in reach', orders)
  else stepDown(peer, 'no quorum in reach', orders)
}

export function onLinkOpened(peer: Peer, id: ReplicaId, link: LinkId, about: PeerAbout, orders: Order[]): void {
  const old = peer.links.get(id)
  if (old !== undefined) {
    mark(orders, 'two-links-same-peer')
    onLinkClosed(peer, id, old.link, 'replaced', orders)
    orders.push({ kind: 'closeLink', peer: id, link: old.link, reason: 'replaced by a newer link' })
  }
  peer.links.set(id, { link, about, heardAt: peer.now, sight: null, early: null })
  const role = peer.role
  if (role.kind !== 'looking' || !role.settling) {
    orders.push({ kind: 'send', to: id, link, message: currentNotification(peer) })
  }
}

export function onLinkClosed(peer: Peer, id: ReplicaId, link: LinkId, reason: string, orders: Order[]): void {
  if (peer.links.get(id)?.link !== link) return
  peer.links.delete(id)
  const role = peer.role
  if (role.kind === 'following' && role.leader === id)
    stepDown(peer, `the link to the leader closed: ${reason}`, orders)
  else if (role.kind === 'leading' && role.learners.delete(id)) {
    if (!role.gone.has(id)) role.gone.set(id, { at: peer.now, reason: 'lost' })
    leaderCheckQuorum(peer, role, orders)
  } else if (role.kind === 'following') role.relay.learners.delete(id)
  else if (role.kind === 'looking') {
    role.votes.delete(id)
    role.offers.delete(id)
    if (role.settling) return
    if (role.vote.leader === id) candidateLost(peer, role, orders)
    else decide(peer, role, orders)
  }
}

/** Surely gone: its lock was granted to somebody, or it said goodbye. */
export function onPeerGone(peer: Peer, id: ReplicaId, reason: string, orders: Order[]): void {
  const state = peer.links.get(id)
  const role = peer.role
  if (role.kind === 'leading') role.gone.set(id, { at: peer.now, reason: reason === 'closed' ? 'closed' : 'died' })
  if (state !== undefined) {
    orders.push({ kind: 'closeLink', peer: id, link: state.link, reason: 'gone' })
    onLinkClosed(peer, id, state.link, reason, orders)
  }
}
