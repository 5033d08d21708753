import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'
import type { Order, PeerAbout } from './facts.ts'
import { configOf, type History, lastZxid, makeHistory } from './history.ts'
import { isVoter } from './membership.ts'
import type { Digest, FollowerInfo } from './messages.ts'
import type { PeerOptions, PeerStart } from './options.ts'
import type { Relay, Search } from './relay-state.ts'
import type { GaveWay, Sight } from './sight.ts'
import type { Staged } from './staged.ts'
import type { Standing } from './standing.ts'

export interface Vote {
  readonly leader: ReplicaId
  readonly epoch: number
  readonly zxid: Zxid
}

export interface LinkState {
  readonly link: LinkId
  readonly about: PeerAbout
  heardAt: number
  /** Is its page seen? Null: it has not said so yet. */
  sight: Sight | null
  /** A FollowerInfo that came before this peer knew that it leads. */
  early: Omit<FollowerInfo, 'kind'> | null
}

export interface Looking {
  readonly kind: 'looking'
  readonly since: number
  /** Writes of the finished role are still on their way to the disk; until they are there, no vote leaves. */
  settling: boolean
  vote: Vote
  /** Votes of this round, own one included. */
  readonly votes: Map<ReplicaId, Vote>
  /** Followers that would take an observer, whom they follow, and when they said so last. */
  readonly offers: Map<ReplicaId, { readonly leader: ReplicaId; readonly at: number }>
  resendAt: number
  pause: number
  /** When a quorum first agreed with the present vote. */
  agreedAt: number | null
}

export interface Following {
  readonly kind: 'following'
  /** Whom it follows: the leader, or, an observer, a follower of the leader. */
  readonly leader: ReplicaId
  /** Who leads, as LeaderInfo said. */
  head: ReplicaId | null
  readonly link: LinkId
  readonly nonce: number
  /** `observer`: takes INFORM and promises nothing. */
  mode: 'follower' | 'observer'
  phase: 'discovery' | 'synchronization' | 'durable' | 'broadcast'
  epoch: number
  staged: Staged | null
  heardAt: number
  progressAt: number
  /** When its patience was last reconsidered. */
  calmAt: number
  readonly requests: Uint8Array[]
  /** The leader's digest that waits to be compared. */
  expected: { readonly zxid: Zxid; readonly digest: string } | null
  /** It was not the same: nobody is served until the leader, or this replica, is found to be wrong. */
  differs: boolean
  /** sync tags whose answer came, waiting for delivery. */
  readonly syncs: { readonly tag: number; readonly zxid: Zxid }[]
  token: number
  /** Whoever follows this follower. */
  readonly relay: Relay
  /** Until then an observer below a relay would go up to the leader, if there were a link to it. */
  wantedUntil: number
}

export interface Learner {
  readonly id: ReplicaId
  readonly link: LinkId
  readonly nonce: number
  mode: 'follower' | 'observer'
  stage: 'info' | 'promising' | 'promised' | 'syncing' | 'active'
  snapshotWanted: boolean
  /** From AckEpoch, until the plan is made. */
  lastZxid: Zxid
  epochEnds: readonly Zxid[]
  /** Cumulative acknowledgement: on this learner's disk. */
  acked: Zxid
  /** Commit or Inform was sent up to here. */
  told: Zxid
  heardAt: number
  token: number
  readonly since: number
  activeAt: number
  /** Its tree differs from the leader's, and since when. */
  contradicts: { readonly zxid: Zxid; readonly digest: string; readonly since: number } | null
  /** Its store went backwards: it gets everything and counts for nothing. */
  demoted: boolean
  /** The last epoch that it had promised when it came. */
  readonly promised: number
  /** No follower would have it: taken whatever room there is. */
  readonly insists: boolean
  /** The record that a quorum without it must have on disk before it counts again, and whether it was told. */
  readmission: { readonly fresh: Zxid; readonly told: boolean } | null
}

export interface Change {
  readonly voters: readonly ReplicaId[]
  readonly tag: number | null
  readonly startedAt: number
  /** Whoever joins must have acknowledged up to here. */
  readonly level: Zxid
}

/** A leader on its way out: it takes no more requests and waits until its successor holds everything. */
export interface HandingOver {
  readonly to: ReplicaId
  readonly until: number
}

export interface Leading {
  readonly kind: 'leading'
  phase: 'discovery' | 'synchronization' | 'broadcast'
  readonly since: number
  calmAt: number
  /** This peer's credentials when it began to lead: nobody in the promise quorum may have better ones. */
  readonly summary: Vote
  epoch: number
  promised: boolean
  readonly infos: Map<ReplicaId, number>
  readonly epochAcks: Set<ReplicaId>
  readonly newLeaderAcks: Set<ReplicaId>
  readonly learners: Map<ReplicaId, Learner>
  /** Voters that are gone, and since when. */
  readonly gone: Map<ReplicaId, { readonly at: number; readonly reason: string }>
  counter: number
  batch: Entry[]
  batchBytes: number
  awaiting: Zxid | null
  readonly queue: Uint8Array[]
  queueStart: number
  token: number
  pingedAt: number
  /** The own tree, as it was told last. */
  digest: Omit<Digest, 'kind' | 'nonce'> | null
  /** When a digest was first told in this role. */
  toldAt: number
  readonly syncs: {
    readonly tag: number
    readonly from: ReplicaId
    readonly link: LinkId | null
    readonly zxid: Zxid
    token: number
  }[]
  change: Change | null
  handingOver: HandingOver | null
}

export type RoleState = Looking | Following | Leading

/** What becomes of a write when the disk has it. `generation` fences what belongs to a role. */
export type Then =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'epochPromised'; readonly generation: number }
  | { readonly kind: 'epochTaken'; readonly generation: number }
  | { readonly kind: 'ackEpoch'; readonly generation: number; readonly counts: boolean }
  | { readonly kind: 'ackNewLeader'; readonly generation: number; readonly epoch: number; readonly zxid: Zxid }
  | { readonly kind: 'readmitted'; readonly generation: number }

export interface PendingWrite {
  readonly write: number
  /** The end of the log once this write is durable. */
  readonly zxid: Zxid
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  readonly then: Then
  readonly restore: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] } | null
}

/** What a role order said last, and of which generation. */
interface Told {
  readonly role: 'looking' | 'following' | 'observing' | 'leading'
  readonly leader: ReplicaId | null
  readonly epoch: number
  readonly serving: boolean
  readonly generation: number
}

/** One peer of Zab: plain data, cloneable. */
export interface Peer {
  readonly options: PeerOptions
  now: number
  /** As issued to the disk; memory never runs ahead of issued writes. */
  acceptedEpoch: number
  currentEpoch: number
  history: History
  /** As known durable. */
  durable: { acceptedEpoch: number; currentEpoch: number; zxid: Zxid }
  committed: Zxid
  delivered: Zxid
  nextWrite: number
  readonly pending: PendingWrite[]
  readonly links: Map<ReplicaId, LinkState>
  role: RoleState
  /** Grows with every role; what was ordered for an earlier one has no effect. */
  generation: number
  round: number
  nonce: number
  /** The last attempt to follow failed because this log does not fit: ask for a snapshot. */
  snapshotWanted: boolean
  /** Of an observer that found no room. */
  search: Search | null
  random: number
  /** What voters have promised and acknowledged, as far as this peer counted it: none of them may have less later. */
  readonly memory: Map<ReplicaId, Standing>
  /** Is there more in it than was written? */
  memoryDue: boolean
  /** This store went backwards: no vote, no acknowledgement that counts, until a leader lets it in again. */
  demoted: boolean
  /** The tree of this replica is wrong, by what others say: it serves nobody, and leads only if nobody else can. Its log is right: it votes and acknowledges. Not durable: it is compared again. */
  diverged: boolean
  /** It led nevertheless, and has handed over once. */
  yielded: boolean
  /** How much longer than usual this peer waits before it gives a role up: it grows with every role that ended by waiting in vain. */
  patience: number
  halted: boolean
  /** The role that the host was told last, so that it hears of changes only. */
  told: Told | null
  /** Of its own page. */
  sight: Sight
  gaveWay: GaveWay | null
  /** After a hand-over: whom to vote for instead of oneself, for a while. */
  preferred: { readonly leader: ReplicaId; readonly until: number } | null
}

export function makePeer(options: PeerOptions, start: PeerStart, now: number): Peer {
  const history = makeHistory(start.base, start.baseConfig, start.entries)
  return {
    options,
    now,
    acceptedEpoch: start.acceptedEpoch,
    currentEpoch: start.currentEpoch,
    history,
    durable: { acceptedEpoch: start.acceptedEpoch, currentEpoch: start.currentEpoch, zxid: lastZxid(history) },
    committed: start.committed,
    delivered: start.committed,
    nextWrite: 1,
    pending: [],
    links: new Map(),
    role: makeLooking(options.id, now),
    generation: 0,
    round: 0,
    nonce: 0,
    snapshotWanted: false,
    search: null,
    random: options.seed | 0 || 1,
    memory: new Map(start.memory.map(({ id, ...standing }) => [id, standing])),
    memoryDue: false,
    demoted: start.demoted,
    diverged: false,
    yielded: false,
    patience: 1,
    halted: false,
    told: null,
    sight: { hidden: false, since: now },
    gaveWay: null,
    preferred: null,
  }
}

export function makeLooking(id: ReplicaId, now: number): Looking {
  return {
    kind: 'looking',
    since: now,
    settling: true,
    vote: { leader: id, epoch: 0, zxid: 0 as Zxid },
    votes: new Map(),
    offers: new Map(),
    resendAt: 0,
    pause: 0,
    agreedAt: null,
  }
}

export const amVoter = (peer: Peer): boolean => !peer.demoted && isVoter(configOf(peer.history), peer.options.id)

/** Its own tree is not in doubt: it may serve clients, and hand its tree on. */
export const isSound = (peer: Peer, role: RoleState): boolean =>
  !peer.diverged && !(role.kind === 'following' && role.differs)

/** May it be told what this version of the peer protocol knows? */
export const speaksVersion = (peer: Peer, id: ReplicaId, version: number): boolean =>
  (peer.links.get(id)?.about.version ?? 1) >= version

/** A learner that counts in quorums, if it is a voter. */
export function counted(role: Leading, id: ReplicaId): Learner | undefined {
  const learner = role.learners.get(id)
  return learner?.demoted === true ? undefined : learner
}

/** mulberry32: 0 ≤ x < 1. */
export function chance(peer: Peer): number {
  peer.random = (peer.random + 0x6d2b79f5) | 0
  let t = Math.imul(peer.random ^ (peer.random >>> 15), 1 | peer.random)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

export function mark(orders: Order[], name: string, detail = ''): void {
  orders.push({ kind: 'mark', name, detail })
}
