import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'
import type { Standing } from './standing.ts'

/**
 * Every word that peers exchange, in the order in which a term of office uses them. All but the notification belong to
 * one *learner session*: the learner draws its `nonce`, the leader echoes it, and what carries another one is stale
 * (a data channel outlives the attempts that run over it; ZooKeeper has a fresh TCP connection instead).
 */
export type Message =
  | Notification
  | FollowerInfo
  | LeaderInfo
  | AckEpoch
  | Sync
  | SnapshotChunk
  | NewLeader
  | AckNewLeader
  | UpToDate
  | Candidate
  | Proposal
  | Ack
  | Commit
  | Inform
  | Ping
  | Pong
  | Request
  | SyncRequest
  | SyncReply
  | HandOver
  | Refuse
  | Regressed
  | Readmit
  | Readmitted
  | Redirect
  | Digest
  | Diverged
  | Quarantine

/** Anyone → anyone, election: "this is whom I vote for" (looking), or "this is whom I have settled on" (else). */
export interface Notification {
  readonly kind: 'notification'
  readonly state: 'looking' | 'following' | 'leading' | 'observing'
  /** Election round (ZooKeeper's logicalclock). */
  readonly round: number
  readonly leader: ReplicaId
  /** The vote's credentials: the proposed leader's current epoch and last durable zxid. */
  readonly epoch: number
  readonly zxid: Zxid
  /** Of a leader or its learner: is the leader established (NEWLEADER has its quorum)? */
  readonly established: boolean
  /** The last epoch that the sender itself has promised, durably. */
  readonly accepted: number
  /** A follower that would take one more observer. */
  readonly room: boolean
}

/** Learner → would-be leader: "I follow you; the last epoch that I promised is this." Answered by LeaderInfo. */
export interface FollowerInfo {
  readonly kind: 'followerInfo'
  readonly nonce: number
  readonly acceptedEpoch: number
  /** Set after an attempt that this learner could not apply: only a SNAP will do. */
  readonly snapshotWanted: boolean
  /** Its store went backwards: it follows, and counts for nothing until it is let in again. */
  readonly demoted: boolean
  /** An observer that nobody else would have: it is taken whatever room there is. */
  readonly insists: boolean
}

/** Leader → learner: "the new epoch is this." Answered by AckEpoch once the promise is durable. */
export interface LeaderInfo {
  readonly kind: 'leaderInfo'
  readonly nonce: number
  readonly epoch: number
  /** Who leads: the sender, or whom it follows. */
  readonly leader: ReplicaId
}

/** Learner → leader: "promised; my history ends here." `currentEpoch` −1: promised before, so this does not count. */
export interface AckEpoch {
  readonly kind: 'ackEpoch'
  readonly nonce: number
  readonly currentEpoch: number
  readonly lastZxid: Zxid
  /** Where each epoch of the learner's history ends, ascending; the first one is its log's base. Finds the last common zxid. */
  readonly epochEnds: readonly Zxid[]
}

/**
 * Leader → learner: how to get from your history to mine. `diff`: keep all; `trunc`: cut behind `from`; `snap`: chunks
 * follow, the snapshot stands at `from`. Proposals follow, then NewLeader.
 */
export interface Sync {
  readonly kind: 'sync'
  readonly nonce: number
  readonly mode: 'diff' | 'trunc' | 'snap'
  readonly from: Zxid
  /** Does the learner vote in the leader's configuration? Then it logs strictly and acknowledges; else it takes INFORM. */
  readonly voting: boolean
  /** With `snap`: the configuration record in force at `from`. */
  readonly config: Entry | null
}

/** Leader → learner, behind Sync `snap`, in order. */
export interface SnapshotChunk {
  readonly kind: 'snapshotChunk'
  readonly nonce: number
  readonly last: boolean
  readonly bytes: Uint8Array
}

/** Leader → learner, after all content of the synchronization: make it durable. Answered by AckNewLeader. */
export interface NewLeader {
  readonly kind: 'newLeader'
  readonly nonce: number
  readonly epoch: number
  /** The last zxid of the content. */
  readonly last: Zxid
}

/** Learner → leader: "your history and the current epoch are durable here, up to `zxid`." */
export interface AckNewLeader {
  readonly kind: 'ackNewLeader'
  readonly nonce: number
  readonly epoch: number
  readonly zxid: Zxid
}

/** Leader → learner: the leader is established; all up to `committed` is committed; serve clients. */
export interface UpToDate {
  readonly kind: 'upToDate'
  readonly nonce: number
  readonly committed: Zxid
}

/** Leader → observer: "become a non-voting follower": from here on PROPOSAL and COMMIT instead of INFORM, strict log, acks. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly nonce: number
}

/** Leader → followers: "append these, next in order." Answered by a cumulative Ack once they are on disk. */
export interface Proposal {
  readonly kind: 'proposal'
  readonly nonce: number
  readonly entries: readonly Entry[]
}

/** Follower → leader: "my disk has everything up to `zxid`." */
export interface Ack {
  readonly kind: 'ack'
  readonly nonce: number
  readonly zxid: Zxid
}

/** Leader → followers: everything up to `zxid` is committed. */
export interface Commit {
  readonly kind: 'commit'
  readonly nonce: number
  readonly zxid: Zxid
}

/** Leader → observers: these are committed. */
export interface Inform {
  readonly kind: 'inform'
  readonly nonce: number
  readonly entries: readonly Entry[]
}

/** Leader → learners: "I lead." `token` numbers the round; an answer proves that the learner still follows. */
export interface Ping {
  readonly kind: 'ping'
  readonly nonce: number
  readonly token: number
  readonly committed: Zxid
  /** Too few are here that could become voters: a relay sends up one of its observers. */
  readonly wanted: boolean
  /** These shall come to the leader, to become voters: a relay tells those of them that are below it. Version 2. */
  readonly named?: readonly ReplicaId[]
}

/** Learner → leader: the token echoed, and which sessions were heard of (opaque to zab). */
export interface Pong {
  readonly kind: 'pong'
  readonly nonce: number
  readonly token: number
  readonly touched: Uint8Array
  /** Is the learner's page hidden? Version 2. */
  readonly hidden?: boolean
}

/** Learner → leader: client requests, in the order in which they came (each opaque to zab). */
export interface Request {
  readonly kind: 'request'
  readonly nonce: number
  readonly requests: readonly Uint8Array[]
}

/** Learner → leader: "which zxid must I have delivered to have seen all that is acknowledged now?" */
export interface SyncRequest {
  readonly kind: 'syncRequest'
  readonly nonce: number
  readonly tag: number
}

/** Leader → learner, after a quorum confirmed its leadership since the question came. */
export interface SyncReply {
  readonly kind: 'syncReply'
  readonly nonce: number
  readonly tag: number
  readonly zxid: Zxid
}

/** Leader → voters, when one of them holds everything: "I step down for it; start an election now, by a vote for it." Only a hint. */
export interface HandOver {
  readonly kind: 'handOver'
  readonly nonce: number
  /** Absent: who hears this. Version 2. */
  readonly to?: ReplicaId
}

/** Leader → learner: "this session is over" (I am not your leader, or you fell behind); start again. */
export interface Refuse {
  readonly kind: 'refuse'
  readonly nonce: number
  readonly reason: string
}

/** Anyone → a voter: "your disk had this once, and what you say is less: your store went backwards." It demotes itself. */
export interface Regressed extends Standing {
  readonly kind: 'regressed'
}

/** Leader → a demoted learner: "a quorum without you has gone on behind what you may have forgotten: count again." */
export interface Readmit {
  readonly kind: 'readmit'
  readonly nonce: number
}

/** Learner → leader: "that is on my disk." From here on its acknowledgements count. */
export interface Readmitted {
  readonly kind: 'readmitted'
  readonly nonce: number
}

/** Leader or relay → observer: "no room here. `leader` leads; try these, and in the end it." This session is over. */
export interface Redirect {
  readonly kind: 'redirect'
  readonly nonce: number
  readonly leader: ReplicaId
  readonly to: readonly ReplicaId[]
}

/** Leader → learner, with the heartbeat: "this is my tree's digest at `zxid`." */
export interface Digest {
  readonly kind: 'digest'
  readonly nonce: number
  readonly zxid: Zxid
  readonly digest: string
}

/** Learner → leader: "mine is this one; one of us applied something differently." It serves nobody until that is settled. */
export interface Diverged {
  readonly kind: 'diverged'
  readonly nonce: number
  readonly zxid: Zxid
  readonly digest: string
}

/** Leader → learner: "no quorum says what you say: your tree is wrong; take a snapshot." */
export interface Quarantine {
  readonly kind: 'quarantine'
  readonly nonce: number
}
