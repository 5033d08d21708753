import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'

/** One connection of a client to this replica; numbered by the host, never reused. */
export type ConnectionId = number

/** What the server wants done, in this order. */
export type ServerOrder =
  /** To a client: whole frames (length-prefixed packets), several joined into one. Those of one turn leave as one message. */
  | { readonly kind: 'reply'; readonly connection: ConnectionId; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'closeConnection'; readonly connection: ConnectionId; readonly reason: string }
  /** A write for the leader, opaque to zab: it reaches `prepare` at the leader, in the order in which a replica ordered them. */
  | { readonly kind: 'request'; readonly bytes: Uint8Array }
  /** Answered by `synced(tag)` once this replica has delivered all that was acknowledged before. */
  | { readonly kind: 'sync'; readonly tag: number }

/** Where a connection comes from and what it may do. */
export interface ConnectionInfo {
  /** `page`: this replica's own page over its port; `tcp`, `peer`: from outside. */
  readonly from: 'page' | 'worker' | 'peer' | 'tcp'
  /** For ACL scheme `ip`; empty where there is none. */
  readonly address: string
}

/**
 * What a replica does for its clients, on top of the znode tree: pure, synchronous, facts in and orders out. One object holds
 * tree, sessions, watches, and, while this replica leads, the requests that are proposed and not yet applied.
 *
 * The host calls it only between zab's orders; it never calls out. `now` is the worker's monotonic clock, `wall` the wall
 * clock (both milliseconds, given).
 */
export interface ReplicaServer {
  /** zxid of the last applied entry. */
  readonly applied: Zxid
  /** 64-bit tree digest as hexadecimal; equal at equal `applied` on all replicas. */
  readonly digest: string

  // ── clients of this replica ──
  connectionOpened(connection: ConnectionId, info: ConnectionInfo): ServerOrder[]
  connectionClosed(connection: ConnectionId): ServerOrder[]
  /** Bytes from a client. What cannot be decoded closes that connection and nothing else. `entropy`: 32 random bytes, for a new session's id and password. */
  received(connection: ConnectionId, frame: Uint8Array, now: number, entropy: () => Uint8Array): ServerOrder[]
  synced(tag: number): ServerOrder[]
  /** The reply to one plain read of a client without a session; null where a session is needed. Throws DecodeError. */
  answerOffline?(packet: Uint8Array): Uint8Array | null
  /**
   * Sessions of this replica's connections that were heard of since the last call, and those of its own page whose port is open, for the
   * leader (opaque to zab).
   */
  touched(): Uint8Array
  /** The replica may (or may no longer) take requests. When not: every connection is closed, and the client comes back to ask again. */
  serving(yes: boolean): ServerOrder[]
  /** A session whose page is surely gone (its lock was granted to us): asks the leader to close it. */
  endSession(session: SessionId): ServerOrder[]

  // ── the replicated state ──
  /** Applies one committed txn; watch events and replies, in the order in which clients must see them. */
  apply(zxid: Zxid, txn: Uint8Array): ServerOrder[]
  /** `config` and `format` entries: shown at /zookeeper/config; they move `applied` too. */
  applyConfig(zxid: Zxid, text: string): ServerOrder[]
  /** Chunks (≤ LIMITS.snapshotChunkBytes each) of a consistent snapshot of the state as it is at this call, though they may be drawn later. */
  snapshot(): Iterable<Uint8Array>
  /** Replaces all replicated state. Connections were closed before (serving(false)). */
  restore(zxid: Zxid, chunks: readonly Uint8Array[]): void

  // ── the leader ──
  /** From here on this replica prepares. Every session gets a full fresh timeout. */
  startLeading(now: number): void
  stopLeading(): void
  /**
   * Request → txn, validated against the tree and all that was prepared and not yet applied. Total: whatever the bytes say, the answer
   * is a txn (an error txn for what cannot be done), idempotent, holding results and not operations. ZooKeeper: PrepRequestProcessor.
   */
  prepare(zxid: Zxid, request: Uint8Array, now: number, wall: number): Uint8Array
  /** A learner's touched sessions. */
  touch(sessions: Uint8Array, now: number): void
  /** Expires sessions and, every TIMES.reap, reaps containers and TTL nodes (as requests). Only while leading. */
  ticked(now: number, wall: number): ServerOrder[]

  /** For `inspect()`. */
  status(): ServerStatus
}

export interface ServerStatus {
  readonly znodes: number
  readonly dataBytes: number
  readonly sessions: readonly {
    readonly id: SessionId
    readonly timeout: number
    readonly ephemerals: number
    readonly here: boolean
  }[]
  readonly connections: number
  readonly watches: number
  readonly digest: string
  readonly applied: Zxid
}
