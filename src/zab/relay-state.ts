import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Learner } from './peer.ts'

/** What a follower keeps of the observers below it. It ends with the role. */
export interface Relay {
  readonly learners: Map<ReplicaId, Learner>
  /** Rounds of its own pings. */
  token: number
  pingedAt: number
  /** Sync questions that were passed on, by the tag that the leader was given. */
  readonly syncs: Map<number, { readonly to: ReplicaId; readonly nonce: number; readonly tag: number }>
  /** For the next question that is passed on. */
  nextTag: number
  /** The newest configuration that the learners were held against. */
  config: Zxid
  /** The leader asked for observers since the last round of pings. */
  wanted: boolean
  /** Those that it asked for by their ids. */
  named: readonly ReplicaId[]
  /** When somebody was last asked to go up to the leader. */
  askedAt: number
}

/** Tags of questions that were passed on begin here; those of a replica's own questions count from 1 and stay below. */
export const RELAYED_TAGS = 2 ** 40

export const makeRelay = (now: number): Relay => ({
  learners: new Map(),
  token: 0,
  pingedAt: now,
  syncs: new Map(),
  nextTag: RELAYED_TAGS,
  config: 0 as Zxid,
  wanted: false,
  named: [],
  askedAt: now,
})

/** An observer that was told "no room here": whom it has not asked yet, and who leads. */
export interface Search {
  readonly leader: ReplicaId
  readonly untried: readonly ReplicaId[]
  /** So long it waits for a link to one of them, if it has reached none. */
  readonly until: number
}
