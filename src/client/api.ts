import type { ErrorCode } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { KeyPair } from './key-auth.ts'

/** ZooKeeper's Stat. Times are the leader's wall clock in milliseconds; zxids are numbers (see base/zxid). */
export interface Stat {
  readonly czxid: Zxid
  readonly mzxid: Zxid
  readonly pzxid: Zxid
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  /** The owning session of an ephemeral node, else 0n. */
  readonly ephemeralOwner: SessionId
  readonly dataLength: number
  readonly numChildren: number
}

export type CreateMode =
  | 'persistent'
  | 'ephemeral'
  | 'persistentSequential'
  | 'ephemeralSequential'
  | 'container'
  | 'persistentWithTtl'
  | 'persistentSequentialWithTtl'

export type Permission = 'create' | 'delete' | 'read' | 'write' | 'admin'
export interface Acl {
  readonly scheme: string
  readonly id: string
  readonly permissions: readonly Permission[]
}

/** Bytes, text (its UTF-8), or nothing. */
export type Data = Uint8Array | string | null

export type WatchEventType = 'NodeCreated' | 'NodeDeleted' | 'NodeDataChanged' | 'NodeChildrenChanged'
export interface WatchEvent {
  readonly type: WatchEventType
  readonly path: string
  /** The change's zxid where the server tells it (ours does), else 0. */
  readonly zxid: Zxid
}

/**
 * What `watch()` yields: changes; `lost` when the connection broke, so that nothing is told until it is back; and then `resumed`, with all that
 * was missed before it, each change once, or `resync`: read anew. A replica of this library resumes, unless its log no longer reaches back. A
 * ZooKeeper server cannot, and a reader that is too slow is told `lost` and `resync` too.
 */
export type WatchNotice =
  | WatchEvent
  | { readonly type: 'lost' | 'resumed' | 'resync'; readonly path: string; readonly zxid: Zxid }

export interface CallOptions {
  /** Ends the wait with a KeeperError `Aborted`; a write already sent may still be applied (`outcome: 'unknown'`). */
  readonly signal?: AbortSignal
}
export interface CreateOptions extends CallOptions {
  readonly mode?: CreateMode
  readonly acl?: readonly Acl[]
  /** Milliseconds; only with the `…WithTtl` modes. */
  readonly ttl?: number
}
export interface ReadOptions extends CallOptions {
  /** One-shot: called at most once, before any reply that shows the change. */
  readonly watch?: (event: WatchEvent) => void
}
export interface VersionOptions extends CallOptions {
  /** The version that the node must have; −1 or left out: any. */
  readonly version?: number
}

export type Op =
  | {
      readonly op: 'create'
      readonly path: string
      readonly data?: Data
      readonly mode?: CreateMode
      readonly acl?: readonly Acl[]
      readonly ttl?: number
    }
  | { readonly op: 'delete'; readonly path: string; readonly version?: number }
  | { readonly op: 'setData'; readonly path: string; readonly data: Data; readonly version?: number }
  | { readonly op: 'check'; readonly path: string; readonly version?: number }

export type OpResult =
  | { readonly op: 'create'; readonly path: string; readonly stat: Stat | null }
  | { readonly op: 'delete' }
  | { readonly op: 'setData'; readonly stat: Stat }
  | { readonly op: 'check' }

export type ReadOp = { readonly op: 'getData' | 'getChildren'; readonly path: string }
export type ReadOpResult =
  | { readonly op: 'getData'; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly op: 'getChildren'; readonly children: readonly string[] }
  | { readonly op: 'error'; readonly error: ErrorCode }

/**
 * `connecting` (no session yet) → `connected` ⇄ `suspended` (the session may still live, until `deadline`) → `lost` (the
 * session is over; ephemerals and watches are gone) or `closed` (by its owner). The last two are final.
 */
export type ClientState = 'connecting' | 'connected' | 'suspended' | 'lost' | 'closed'

/** Fired on the client as event `state`. */
export interface StateChange {
  readonly state: ClientState
  readonly reason: string
  /** While suspended: when the session will be over at the latest (client's clock), else null. */
  readonly deadline: number | null
}

/**
 * One session with an ensemble, over any connection. Requests of one session are answered in order; all writes are linearizable;
 * reads are served by the connected replica and never go backwards within the session; `sync` before a read makes it
 * see everything that was acknowledged before. ZooKeeper: the class ZooKeeper.
 *
 * A call whose connection breaks is asked again over the next one; a replica of this library knows a write that it has done, and answers as it
 * did. With a ZooKeeper server such a write rejects with `ConnectionLoss`, `outcome: 'unknown'`.
 *
 * While `suspended` (no connection; of a page's own replica: no quorum), writes, `sync` and reads with a watch wait. They are done over the next
 * connection, or reject with `SessionExpired` at `deadline`, or with `Aborted` by their signal; none waits longer. Where the page runs a replica,
 * `exists`, `getData`, `getChildren`, `multiRead` and `getAllChildrenNumber` without a watch are answered at once from what that has: as
 * ZooKeeper's read-only servers do, possibly **stale** (others with a quorum may have gone on), never older than what this session has read
 * before, ahead of writes that wait, and perhaps ahead of the watch event that tells of it. What an ACL does not open to everybody waits.
 *
 * Every method rejects with a KeeperError: the codes named, and `ConnectionLoss` (`outcome: 'unknown'` for a write that was sent),
 * `SessionExpired`, `Closed`, `Aborted`, `BadArguments` (names the argument), `TooLarge`.
 */
export interface ZnodeClient {
  readonly state: ClientState
  /** 0n before the session is there. */
  readonly sessionId: SessionId
  /** Milliseconds, as negotiated. */
  readonly sessionTimeout: number
  /** The zxid of the last reply. */
  readonly lastZxid: Zxid
  onState(listener: (change: StateChange) => void, options?: { readonly signal?: AbortSignal }): void

  /** NoNode (parent), NodeExists, NoChildrenForEphemerals, NoAuth, InvalidACL, QuotaExceeded. The path in the result has the sequence number. */
  create(path: string, data?: Data, options?: CreateOptions): Promise<{ readonly path: string; readonly stat: Stat }>
  /** NoNode, BadVersion, NotEmpty, NoAuth. */
  delete(path: string, options?: VersionOptions): Promise<void>
  exists(path: string, options?: ReadOptions): Promise<Stat | null>
  /** NoNode, NoAuth. */
  getData(path: string, options?: ReadOptions): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }>
  /** NoNode, BadVersion, NoAuth. */
  setData(path: string, data: Data, options?: VersionOptions): Promise<Stat>
  /** Names without the path, sorted by UTF-16 code unit. NoNode, NoAuth. */
  getChildren(
    path: string,
    options?: ReadOptions,
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }>
  getAcl(path: string, options?: CallOptions): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }>
  /** `version` is the aversion. */
  setAcl(path: string, acl: readonly Acl[], options?: VersionOptions): Promise<Stat>
  /** All or nothing, one zxid. The error's `results` has one code per operation. */
  multi(ops: readonly Op[], options?: CallOptions): Promise<readonly OpResult[]>
  multiRead(ops: readonly ReadOp[], options?: CallOptions): Promise<readonly ReadOpResult[]>
  /** After it, reads of this session see every write that was acknowledged to anyone before the call. */
  sync(path?: string, options?: CallOptions): Promise<void>
  /** A second one of the same kind of scheme adds, never replaces. AuthFailed is final for this client. */
  addAuth(scheme: string, auth: Uint8Array | string): Promise<void>
  /**
   * Proves that this session holds a private key (ECDSA, P-256; WebCrypto), without ever showing it: ACLs name the public one as
   * `{ scheme: 'key', id: await keyId(publicKey) }`. A proof is good for this session only, so whoever overhears it has nothing. Waits
   * until there is a session. BadArguments, Unsupported (no secure context); AuthFailed is final for this client.
   */
  addKey(pair: KeyPair, options?: CallOptions): Promise<void>
  whoAmI(options?: CallOptions): Promise<readonly { readonly scheme: string; readonly user: string }[]>
  getEphemerals(prefix?: string, options?: CallOptions): Promise<readonly string[]>
  getAllChildrenNumber(path: string, options?: CallOptions): Promise<number>
  /**
   * A persistent watch as an async iterator: every change of the path (`recursive`: and of all below, without
   * NodeChildrenChanged), in zxid order. Registered when the promise resolves; ends by `break`, `signal`, or with the session (throws).
   */
  watch(
    path: string,
    options?: { readonly recursive?: boolean; readonly signal?: AbortSignal },
  ): Promise<AsyncIterableIterator<WatchNotice>>
  /** Ends the session: its ephemerals vanish. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
