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
  /** Tags of questions that were passed on are negative: this replica's own are not. */
  nextTag: number
  /** The newest configuration that the learners were held against. */
  config: Zxid
  /** When it last sent somebody up to the leader. */
  sentUpAt: number
}

export const makeRelay = (now: number): Relay => ({
  learners: new Map(),
  token: 0,
  pingedAt: now,
  syncs: new Map(),
  nextTag: -1,
  config: 0 as Zxid,
  sentUpAt: Number.NEGATIVE_INFINITY,
})

/** An observer that was told "no room here": whom it has not asked yet, and who leads. */
export interface Search {
  readonly leader: ReplicaId
  readonly untried: readonly ReplicaId[]
  /** What it was told is worth nothing afterwards. */
  readonly until: number
}
