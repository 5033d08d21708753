/**
 * Who should vote, and the way there: the policy is a pure function; a change is two log records, *joint* (old and new), then, once that is
 * committed, *new*; every quorum meanwhile needs both (ensemble.md; Raft thesis 4.3).
 */
import { isReplicaId, type ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import { proposeRecord } from './broadcast.ts'
import type { Order } from './facts.ts'
import { giveWay, isLasting, onStepDownRequested, successor } from './handover.ts'
import { configOf, configZxid, entriesBetween, lastZxid } from './history.ts'
import { type Config, encodeConfig, isVoter } from './membership.ts'
import { counted, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { majority } from './quorum.ts'
import { raiseFormat } from './raise-format.ts'
import { stepDown } from './roles.ts'
import { isHidden } from './sight.ts'
import { batches } from './synchronization.ts'

/** A member as the policy sees it. */
export interface Member {
  readonly id: ReplicaId
  readonly browser: string
  readonly self: boolean
  readonly voter: boolean
  /** Follows now and was heard lately. */
  readonly present: boolean
  /** Present for long enough to be trusted with a vote. */
  readonly steady: boolean
  /** A voter that has been gone for so long that it loses its vote, or that another tab runs for a dead one. */
  readonly evictable: boolean
  /** Runs on a server, not in a page. */
  readonly lasting: boolean
  /** On a phone, or its page has been hidden for long: browsers stop such pages first. */
  readonly fleeting: boolean
  /** When it came, milliseconds. */
  readonly since: number
}

/**
 * The voters that there should be: 1, 3 or 5, never an even number; voters that are there stay, gone ones are replaced or dropped, new ones
 * come from browsers that have no vote yet first, then in the order in which they came; phones and hidden pages only where nobody else is
 * there. Null: leave it.
 */
export function decideVoters(members: readonly Member[], target: number): readonly ReplicaId[] | null {
  const voters = members.filter((one) => one.voter)
  const kept = voters
    .filter((one) => !one.evictable)
    .sort((a, b) => rank(b) - rank(a) || a.since - b.since || a.id - b.id)
  const steady = members.filter((one) => !one.voter && one.present && one.steady)
  const available = Math.min(target, kept.length + steady.length)
  const size = Math.max(1, available % 2 === 0 ? available - 1 : available)
  if (size === 1) {
    // One vote has to do: better that of a server than of a page, which somebody closes.
    const server = [...kept, ...steady].find((one) => one.lasting)
    if (server !== undefined) return voters.length === 1 && server.voter ? null : [server.id]
  }
  if (kept.length === voters.length && voters.length === size) return null
  if (kept.length === voters.length && size < voters.length && voters.length <= target) return null
  const chosen = kept.slice(0, size)
  for (const last of [false, true]) {
    const waiting = steady.filter((one) => one.fleeting === last).sort((a, b) => a.since - b.since || a.id - b.id)
    while (chosen.length < size && waiting.length > 0) {
      const fresh = waiting.findIndex((one) => !chosen.some((other) => other.browser === one.browser))
      chosen.push(...waiting.splice(Math.max(0, fresh), 1))
    }
  }
  const ids = chosen.map((one) => one.id)
  const same = ids.length === voters.length && voters.every((one) => ids.includes(one.id))
  return same || ids.length === 0 ? null : ids
}

const rank = (member: Member): number => (member.self ? 2 : 0) + (member.present ? 1 : 0)

function membersOf(peer: Peer, role: Leading, config: Config): Member[] {
  const { timing } = peer.options
  const ids = new Set<ReplicaId>([...config.voters, ...role.learners.keys()])
  return [...ids].map((id) => {
    const self = id === peer.options.id
    const learner = role.learners.get(id)
    const present =
      self || (learner !== undefined && learner.stage === 'active' && peer.now - learner.heardAt < timing.silence)
    const adopted = peer.links.get(id)?.about.adopted === true
    const gone = role.gone.get(id) ?? { at: role.since, reason: 'lost' }
    const grace = gone.reason === 'closed' ? 0 : gone.reason === 'died' ? timing.reloadGrace : timing.evictAfter
    // The link of a frozen page stays open: nothing but its silence tells.
    const away = learner === undefined ? peer.now - gone.at >= grace : peer.now - learner.heardAt >= timing.evictAfter
    return {
      id,
      browser: self ? peer.options.browser : (peer.links.get(id)?.about.browser ?? ''),
      self,
      voter: config.voters.includes(id),
      present,
      steady:
        !adopted && learner !== undefined && learner.stage === 'active' && peer.now - learner.activeAt >= timing.steady,
      evictable: !self && (adopted || away),
      fleeting: peer.links.get(id)?.about.phone === true || isHidden(peer, id),
      lasting: self ? peer.options.lasting === true : isLasting(peer, id),
      since: self ? role.since : (learner?.since ?? 0),
    }
  })
}

/** A change may begin only when the present configuration is single, committed, and of this leader's established epoch. */
function settledConfig(peer: Peer, role: Leading): Config | null {
  const config = configOf(peer.history)
  if (role.phase !== 'broadcast' || config === null || config.old !== null) return null
  return configZxid(peer.history) <= peer.committed ? config : null
}

/** At every tick of an established leader. */
export function autopilotOnTick(peer: Peer, role: Leading, orders: Order[]): void {
  const config = settledConfig(peer, role)
  if (config === null) return
  // A vote that is run for a dead tab gives the lead to one that lives.
  if (peer.options.adopted === true && successor(peer, role) !== null)
    return onStepDownRequested(peer, 'adopted', orders)
  if (role.change === null) {
    giveWay(peer, role, orders)
    if (peer.role !== role || role.handingOver !== null) return
    raiseFormat(peer, role, config, orders)
    if (settledConfig(peer, role) !== config) return
    const voters = decideVoters(membersOf(peer, role, config), peer.options.voters)
    if (voters === null) return
    role.change = {
      voters,
      tag: null,
      startedAt: peer.now,
      level: prepareCandidates(peer, role, config, voters, orders),
    }
  }
  tryPropose(peer, role, config, orders)
}

/** Somebody may have to come up from below a relay first: so much longer than usual a change by hand may take. */
const BY_HAND = 2

/** `keeper.reconfig`, with ZooKeeper's errors. Whoever does not follow this leader is asked to (see `namedObservers`). */
export function onReconfigRequested(peer: Peer, tag: number, voters: readonly ReplicaId[], orders: Order[]): void {
  const role = peer.role
  const fail = (error: string): void => void orders.push({ kind: 'reconfigured', tag, error })
  if (role.kind !== 'leading' || role.phase !== 'broadcast') return fail('NotLeading')
  const config = settledConfig(peer, role)
  if (config === null || role.change !== null) return fail('ReconfigInProgress')
  const named = new Set(voters).size
  if (named === 0 || named > LIMITS.votersMax || named !== voters.length || !voters.every(isReplicaId))
    return fail('BadArguments')
  role.change = {
    voters: [...voters],
    tag,
    startedAt: peer.now,
    level: prepareCandidates(peer, role, config, voters, orders),
  }
  tryPropose(peer, role, config, orders)
}

/** 1. Whoever is to vote first logs and acknowledges strictly, without a vote. Returns where they must have come to be level. */
function prepareCandidates(
  peer: Peer,
  role: Leading,
  config: Config,
  voters: readonly ReplicaId[],
  orders: Order[],
): Zxid {
  for (const id of voters) {
    const learner = role.learners.get(id)
    if (learner?.stage !== 'active' || config.voters.includes(id) || learner.mode === 'follower') continue
    becomeCandidate(peer, role, learner, orders)
  }
  return lastZxid(peer.history)
}

function becomeCandidate(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  const { id: to, link, nonce } = learner
  if (learner.told < peer.history.base) return void role.learners.delete(to)
  mark(orders, 'candidate')
  const { history } = peer
  for (const entries of batches(entriesBetween(history, learner.told, peer.committed))) {
    orders.push({ kind: 'send', to, link, message: { kind: 'inform', nonce, entries } })
  }
  learner.told = peer.committed
  orders.push({ kind: 'send', to, link, message: { kind: 'candidate', nonce } })
  for (const entries of batches(entriesBetween(history, peer.committed, lastZxid(history)))) {
    orders.push({ kind: 'send', to, link, message: { kind: 'proposal', nonce, entries } })
  }
  learner.mode = 'follower'
}

/** 2. All are level and a majority of the new configuration is connected: the joint record. */
function tryPropose(peer: Peer, role: Leading, config: Config, orders: Order[]): void {
  const change = role.change
  if (change === null) return
  const connected = (id: ReplicaId): boolean => id === peer.options.id || counted(role, id)?.stage === 'active'
  const joining = change.voters.filter((id) => !config.voters.includes(id))
  // One that came back meanwhile came back as an observer: it takes no proposals yet, whatever its disk holds.
  for (const id of joining) {
    const learner = role.learners.get(id)
    if (learner?.stage !== 'active' || learner.mode === 'follower') continue
    becomeCandidate(peer, role, learner, orders)
    role.change = { ...change, level: lastZxid(peer.history) }
    return
  }
  const stays = change.voters.includes(peer.options.id)
  const ready =
    joining.every((id) => {
      const learner = counted(role, id)
      if (learner?.stage !== 'active' || learner.acked < change.level) return false
      // It was level already, and may have died since: where the leader gives its own vote away nobody decides without it from the joint record on.
      return stays || learner.heardAt > change.startedAt
    }) && change.voters.filter(connected).length >= majority(change.voters.length)
  if (ready) {
    mark(orders, 'config-joint')
    proposeRecord(peer, role, 'config', encodeConfig({ ...config, voters: change.voters, old: config.voters }), orders)
  } else if (peer.now - change.startedAt > peer.options.timing.establish * (change.tag === null ? 1 : BY_HAND)) {
    mark(orders, 'config-abandoned')
    role.change = null
    if (change.tag !== null) orders.push({ kind: 'reconfigured', tag: change.tag, error: 'NewConfigNoQuorum' })
  }
}

/** 3. After each commit: the joint record is committed, so the new one follows; that is committed, so the change is over. */
export function changeCommitted(peer: Peer, role: Leading, orders: Order[]): void {
  const config = configOf(peer.history)
  if (
    config === null ||
    role.phase !== 'broadcast' ||
    configZxid(peer.history) > peer.committed ||
    role.awaiting !== null
  )
    return
  if (config.old !== null) {
    mark(orders, 'config-final')
    proposeRecord(peer, role, 'config', encodeConfig({ ...config, old: null }), orders)
    return
  }
  const change = role.change
  if (change?.voters.every((id) => config.voters.includes(id)) && change.voters.length === config.voters.length) {
    role.change = null
    if (change.tag !== null) orders.push({ kind: 'reconfigured', tag: change.tag, error: null })
  }
  if (!isVoter(config, peer.options.id)) stepDown(peer, 'voted out', orders)
}
