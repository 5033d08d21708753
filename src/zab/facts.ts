import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'
import type { Message } from './messages.ts'
import type { Remembered } from './standing.ts'

/** What happened. Past tense: the core cannot refuse it. */
export type Fact =
  /** Time passed; `now` is the worker's monotonic clock in milliseconds. Never goes backwards. */
  | { readonly kind: 'ticked'; readonly now: number }
  /** A gap in the clock: this replica slept (frozen tab, suspended machine). Comes before the backlog that gathered meanwhile. */
  | { readonly kind: 'woke'; readonly now: number; readonly gap: number }
  | { readonly kind: 'linkOpened'; readonly peer: ReplicaId; readonly link: LinkId; readonly about: PeerAbout }
  | { readonly kind: 'linkClosed'; readonly peer: ReplicaId; readonly link: LinkId; readonly reason: string }
  | { readonly kind: 'received'; readonly from: ReplicaId; readonly link: LinkId; readonly message: Message }
  /** Every write up to and including this id is durable. */
  | { readonly kind: 'stored'; readonly write: number }
  /** The disk refused (quota, abort, closed database): nothing behind the last `stored` may be relied on. */
  | { readonly kind: 'storeFailed'; readonly reason: string }
  /** Requests of this replica's own clients, in order. */
  | { readonly kind: 'requested'; readonly requests: readonly Uint8Array[] }
  /** The answer to the order `prepare`: the txn that the request became. */
  | { readonly kind: 'prepared'; readonly zxid: Zxid; readonly bytes: Uint8Array }
  /** A client of this replica asks for a sync; answered by the order `synced` with the same tag. */
  | { readonly kind: 'syncRequested'; readonly tag: number }
  /** This replica's own clients were heard of (opaque; travels to the leader with the next pong). */
  | { readonly kind: 'touched'; readonly sessions: Uint8Array }
  /** The page asked for these voters (`keeper.reconfig`); otherwise the autopilot decides. */
  | { readonly kind: 'reconfigRequested'; readonly tag: number; readonly voters: readonly ReplicaId[] }
  /** The replica's page was hidden, or shown again. A replica without a page hears nothing of this. */
  | { readonly kind: 'visibilityChanged'; readonly hidden: boolean }
  /** A leader should hand over: to a level voter of its choice (close, the demo's button). */
  | { readonly kind: 'stepDownRequested'; readonly reason: string }
  /** A member said goodbye, or its lock was granted to someone: it is surely gone. */
  | { readonly kind: 'peerGone'; readonly peer: ReplicaId; readonly reason: string }
  /** The tree's digest as it stands at this zxid: asked for by `digestAt`, or with the heartbeat of a leader. */
  | { readonly kind: 'digested'; readonly zxid: Zxid; readonly digest: string }
  /** A snapshot at this zxid is durable and the log before it may be forgotten. */
  | { readonly kind: 'compacted'; readonly zxid: Zxid }
  /** The inbox is empty: what gathered in this turn may leave. */
  | { readonly kind: 'turnEnded' }

/** What the handshake of a link told about the other side. */
export interface PeerAbout {
  readonly incarnation: number
  /** The failure domain: one browser profile. Voters are spread over these first. */
  readonly browser: string
  /** The highest log format version that the other side knows. */
  readonly format: number
  /** The highest version of the peer protocol that both sides speak; absent: 1. */
  readonly version?: number
  /** Run by another tab for a dead one's vote: counts, but is to be voted out, and should not lead. */
  readonly adopted?: boolean
  /** Runs on a server, not in a page that somebody closes: leads rather than those, and where one vote has to do it is this one's. */
  readonly lasting?: boolean
  /** Its page runs on a phone. */
  readonly phone?: boolean
}

/** One change of durable state; the changes of one `write` order are atomic, and writes become durable in order. */
export type Change =
  | { readonly kind: 'append'; readonly entries: readonly Entry[] }
  /** Forget every entry behind `zxid`, and every snapshot behind it. */
  | { readonly kind: 'truncate'; readonly zxid: Zxid }
  | { readonly kind: 'acceptedEpoch'; readonly epoch: number }
  | { readonly kind: 'currentEpoch'; readonly epoch: number }
  /** What this replica remembers of the others, in place of what it remembered. */
  | { readonly kind: 'remember'; readonly of: readonly Remembered[] }
  /** This store went backwards: the replica neither votes nor counts. Or it was let in again. */
  | { readonly kind: 'demoted'; readonly demoted: boolean }
  /** Replace log and snapshot: the log's base is `zxid` afterwards. */
  | {
      readonly kind: 'install'
      readonly zxid: Zxid
      readonly config: Entry | null
      readonly chunks: readonly Uint8Array[]
    }

/** What the host must do, in this order. Imperative: the host decides nothing. */
export type Order =
  | { readonly kind: 'send'; readonly to: ReplicaId; readonly link: LinkId; readonly message: Message }
  /** Fork the tree as it stands now (it stands at `zxid`) and send it as SnapshotChunk messages, before anything ordered later for that link. */
  | {
      readonly kind: 'sendSnapshot'
      readonly to: ReplicaId
      readonly link: LinkId
      readonly nonce: number
      readonly zxid: Zxid
    }
  | { readonly kind: 'closeLink'; readonly peer: ReplicaId; readonly link: LinkId; readonly reason: string }
  /** Make durable; answered by the fact `stored`. Strict unless `relaxed`. */
  | { readonly kind: 'write'; readonly write: number; readonly changes: readonly Change[]; readonly relaxed: boolean }
  /** Turn these requests into txns with these zxids, in order; answered at once by one fact `prepared` each. */
  | { readonly kind: 'prepare'; readonly zxid: Zxid; readonly request: Uint8Array }
  /** Committed and durable here: apply in order. */
  | { readonly kind: 'deliver'; readonly entries: readonly Entry[] }
  /** Tell the tree's digest once exactly this is applied (the fact `digested`); in place of an earlier wish. */
  | { readonly kind: 'digestAt'; readonly zxid: Zxid }
  /** Replace the tree by this snapshot, which is durable. */
  | { readonly kind: 'restore'; readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] }
  /** Client requests of this replica may be taken (`serving`), or not any more. `leader` null: nobody leads. */
  | {
      readonly kind: 'role'
      readonly role: Role
      readonly leader: ReplicaId | null
      readonly epoch: number
      readonly serving: boolean
    }
  /** Start (or stop) what only an established leader does: session expiry, the task dispatcher. */
  | { readonly kind: 'leading' }
  | { readonly kind: 'notLeading' }
  /** Requests that were handed over or forwarded and whose role has ended: their outcome is unknown. */
  | { readonly kind: 'synced'; readonly tag: number }
  | { readonly kind: 'touch'; readonly sessions: Uint8Array }
  | { readonly kind: 'reconfigured'; readonly tag: number; readonly error: string | null }
  /** A rare branch was taken, or something was refused: counted, shown in `inspect()`. */
  | { readonly kind: 'mark'; readonly name: string; readonly detail: string }
  /** Trouble that people should see; the replica goes on. */
  | { readonly kind: 'notice'; readonly code: 'WentBackwards' | 'Diverged'; readonly reason: string }
  /** This replica cannot go on as it is: `inspect()` and an event say why; the host ends it. */
  | { readonly kind: 'halt'; readonly code: 'UpdateNeeded' | 'StorageFailed' | 'Removed'; readonly reason: string }

export type Role = 'looking' | 'following' | 'leading' | 'observing'
