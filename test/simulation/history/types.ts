import type { SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { WatchEventType } from '../../../src/client/api.ts'
import type { StatRecord } from '../../../src/jute/records.ts'

/** Data of znodes is text here, one character a byte: stories stay readable. */
export type TreeOp =
  | {
      readonly kind: 'create'
      readonly path: string
      readonly data: string | null
      readonly sequential: boolean
      readonly ephemeral: boolean
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number }
  | { readonly kind: 'setData'; readonly path: string; readonly data: string | null; readonly version: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number }

export type WriteOp = TreeOp | { readonly kind: 'multi'; readonly ops: readonly TreeOp[] } | { readonly kind: 'close' }

export type ReadOp =
  | { readonly kind: 'exists' | 'getData' | 'getChildren'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'getEphemerals' | 'count'; readonly path: string }
  | {
      readonly kind: 'multiRead'
      readonly ops: readonly { readonly kind: 'getData' | 'getChildren'; readonly path: string }[]
    }
  | { readonly kind: 'sync' }
  | { readonly kind: 'addWatch'; readonly path: string; readonly recursive: boolean }
  | { readonly kind: 'removeWatches'; readonly path: string; readonly of: 'data' | 'children' | 'any' }
  /** Watches that a client brings along to a new connection, with the last zxid that it saw. */
  | {
      readonly kind: 'setWatches'
      readonly since: Zxid
      readonly data: readonly string[]
      readonly exist: readonly string[]
      readonly children: readonly string[]
      readonly persistent: readonly string[]
      readonly recursive: readonly string[]
      /** Over a connection that negotiated it: all changes since are told. */
      readonly resumes?: boolean
    }

export type Op = WriteOp | ReadOp

/** What a reply says. A field that is missing says nothing, but a missing `error` says that there was none. */
export interface Result {
  /** As in ERROR_CODES. */
  readonly error?: number
  readonly path?: string
  readonly data?: string | null
  /** Sorted. */
  readonly children?: readonly string[]
  readonly stat?: Partial<StatRecord>
  readonly count?: number
  /** Of a multi or multiRead. */
  readonly results?: readonly Result[]
}

export interface WatchTold {
  readonly type: WatchEventType
  readonly path: string
  readonly zxid: Zxid
}

/** When: `at` is the place in the harness's one order of all that it saw, `ms` its clock. */
export interface Stamp {
  readonly at: number
  readonly ms: number
}

/** What a client did and saw. */
export type SessionEvent = Stamp &
  (
    | { readonly kind: 'connect' }
    | { readonly kind: 'attached'; readonly session: SessionId; readonly timeout: number }
    /** Told that the session is over. */
    | { readonly kind: 'expired' }
    /** The connection is over; what has no reply yet may have happened or not. */
    | { readonly kind: 'lost' }
    /** `xid`: of this connection. */
    | { readonly kind: 'invoke'; readonly xid: number; readonly op: Op }
    /** `zxid`: what the header says, the state that the reply shows. */
    | { readonly kind: 'reply'; readonly xid: number; readonly zxid: Zxid; readonly result: Result }
    | ({ readonly kind: 'watch' } & WatchTold)
  )

/** One client: one session over one connection after another. */
export interface SessionHistory {
  readonly name: string
  readonly events: readonly SessionEvent[]
}

/** A change of the tree as the log has it: a result. */
export type TreeTxn =
  | {
      readonly kind: 'create'
      readonly path: string
      readonly data: string | null
      /** The session of an ephemeral, else 0n. */
      readonly owner: SessionId
      readonly parentCreates: number
    }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'setData'; readonly path: string; readonly data: string | null; readonly version: number }
  | { readonly kind: 'setACL'; readonly path: string; readonly version: number }
  | { readonly kind: 'check' }

export type LogBody =
  | TreeTxn
  | { readonly kind: 'multi'; readonly ops: readonly TreeTxn[] }
  | { readonly kind: 'createSession' | 'moveSession'; readonly timeout: number }
  | { readonly kind: 'closeSession'; readonly paths: readonly string[] }
  | { readonly kind: 'error'; readonly code: number; readonly codes: readonly number[] }
  | { readonly kind: 'config'; readonly text: string }
  /** Asked before under its number: to be answered as it was. */
  | { readonly kind: 'again' }

/** One committed entry; the stamp says when anybody delivered it first. */
export interface LogEntry extends Stamp {
  readonly zxid: Zxid
  readonly session: SessionId
  /** The request's xid; 0: nobody's request. */
  readonly cxid: number
  /** Does the cxid number the request within its session, and not only within its connection? */
  readonly numbered?: boolean
  /** The connection that asked, by a random name that clients do not know. */
  readonly origin: number
  /** The leader's wall clock. */
  readonly time: number
  readonly body: LogBody
}

/** What a replica counts in its state at a place in the log. */
export interface ReplicaState {
  readonly replica: number
  readonly zxid: Zxid
  readonly znodes: number
  readonly sessions: readonly { readonly id: SessionId; readonly ephemerals: number }[]
}

/** What was done to the world outside the ensemble for a task: one row of a ledger that refuses lower fences. */
export interface Effect {
  readonly task: string
  readonly fence: number
  readonly accepted: boolean
}

export interface TaskHistory {
  /** Tasks whose submission was acknowledged. */
  readonly submitted: readonly string[]
  /** Those that are still waiting or running at the end. */
  readonly open: readonly string[]
  /** What the log says was completed, under which fence. */
  readonly completed: readonly { readonly task: string; readonly fence: number }[]
  readonly effects: readonly Effect[]
}

/** All that a harness saw. */
export interface History {
  readonly log: readonly LogEntry[]
  /** What single replicas delivered: pieces of the log. */
  readonly feeds?: readonly { readonly replica: number; readonly entries: readonly LogEntry[] }[]
  readonly states?: readonly ReplicaState[]
  readonly sessions: readonly SessionHistory[]
  readonly tasks?: TaskHistory
  /** Since when nothing fails any more; null: it never came to rest. */
  readonly settledSince: number | null
  /** When the harness stopped looking. */
  readonly endedMs: number
}

/** Which step refuses a history, and why. */
export interface Rejection {
  readonly step: number
  readonly why: string
}
