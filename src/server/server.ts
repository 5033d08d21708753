import { assert } from '../base/assert.ts'
import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { decodeTxn } from '../jute/txns.ts'
import type { PrepareOptions } from '../tree/prepare-op.ts'
import { encodeLeaderRequest } from '../tree/request.ts'
import { State } from '../tree/state.ts'
import { Clients } from './clients.ts'
import { decodeTouched, encodeTouched, Leader } from './leader.ts'
import { answerOffline } from './offline.ts'
import type { ConnectionId, ConnectionInfo, ReplicaServer, ServerOrder, ServerStatus } from './orders.ts'
import { Outbox } from './outbox.ts'
import { RecentChanges } from './recent.ts'
import { Watches } from './watches.ts'

export interface ServerOptions extends Partial<PrepareOptions> {
  /** Who passes every ACL check: `user:base64(sha1(user:password))`, as `digestId` makes it. */
  readonly superDigest?: string
  /** Changes that watches of clients which come back can be told of. */
  readonly changesKept?: number
}

/** The replica's service to its clients, and its part of the replicated state machine. See ReplicaServer. */
export class Server implements ReplicaServer {
  readonly #out = new Outbox()
  readonly #clients: Clients
  readonly #options: PrepareOptions
  readonly #recent: RecentChanges
  #state: State = State.fresh()
  #leader: Leader | null = null
  #touched = new Set<SessionId>()

  constructor(options: ServerOptions = {}) {
    this.#options = { extendedTypes: options.extendedTypes ?? true, enforceQuota: options.enforceQuota ?? false }
    this.#recent = new RecentChanges(options.changesKept)
    const heard = (session: SessionId, now: number): void => {
      this.#touched.add(session)
      this.#leader?.heard(session, now)
    }
    this.#clients = new Clients(this.#state, this.#out, options.superDigest, heard, new Watches(), this.#recent)
  }

  get applied(): Zxid {
    return this.#state.applied
  }

  get digest(): string {
    return this.#state.digest
  }

  connectionOpened(connection: ConnectionId, info: ConnectionInfo): ServerOrder[] {
    this.#clients.opened(connection, info)
    return this.#out.take()
  }

  connectionClosed(connection: ConnectionId): ServerOrder[] {
    this.#clients.closed(connection)
    return this.#out.take()
  }

  received(connection: ConnectionId, frame: Uint8Array, now: number, entropy: () => Uint8Array): ServerOrder[] {
    this.#clients.received(connection, frame, now, entropy)
    return this.#out.take()
  }

  synced(tag: number): ServerOrder[] {
    this.#clients.synced(tag)
    return this.#out.take()
  }

  answerOffline(packet: Uint8Array): Uint8Array | null {
    return answerOffline(this.#state, packet)
  }

  touched(): Uint8Array {
    for (const session of this.#clients.residents()) this.#touched.add(session)
    const bytes = encodeTouched(this.#touched)
    this.#touched = new Set()
    return bytes
  }

  serving(yes: boolean): ServerOrder[] {
    this.#clients.serve(this.#state, yes)
    return this.#out.take()
  }

  endSession(session: SessionId): ServerOrder[] {
    return [{ kind: 'request', bytes: encodeLeaderRequest({ kind: 'endSession', session }) }]
  }

  /** Throws DecodeError for bytes that no `prepare` made: then this replica must not go on. */
  apply(zxid: Zxid, bytes: Uint8Array): ServerOrder[] {
    const txn = decodeTxn(bytes)
    const applied = this.#state.apply(zxid, txn)
    this.#leader?.applied(zxid, applied.error === 0 ? txn : null)
    this.#clients.applied(zxid, txn, applied)
    return this.#out.take()
  }

  applyConfig(zxid: Zxid, text: string): ServerOrder[] {
    const applied = this.#state.applyConfig(zxid, text)
    this.#leader?.applied(zxid, null)
    this.#clients.applied(zxid, null, applied)
    return this.#out.take()
  }

  snapshot(): Iterable<Uint8Array> {
    return this.#state.snapshot()
  }

  restore(zxid: Zxid, chunks: readonly Uint8Array[]): void {
    assert(this.#clients.size === 0, 'a snapshot comes while connections are open')
    // No chunks: a log that begins at its founding.
    this.#state = chunks.length === 0 ? State.fresh() : State.restored(zxid, chunks)
    this.#recent.restart(zxid)
    this.#leader = null
    this.#clients.serve(this.#state, false)
  }

  startLeading(now: number): void {
    this.#leader = new Leader(this.#state, this.#options, now)
  }

  stopLeading(): void {
    this.#leader = null
  }

  prepare(zxid: Zxid, request: Uint8Array, now: number, wall: number): Uint8Array {
    assert(this.#leader !== null, 'prepare without leading')
    return this.#leader.prepare(zxid, request, now, wall)
  }

  touch(sessions: Uint8Array, now: number): void {
    for (const session of decodeTouched(sessions)) this.#leader?.heard(session, now)
  }

  ticked(now: number, wall: number): ServerOrder[] {
    return requests(this.#leader?.ticked(now, wall))
  }

  /** One pass of the container and TTL reaper, by the wall clock in milliseconds. Only while leading. */
  reap(wall: number): ServerOrder[] {
    return requests(this.#leader?.reap(wall))
  }

  status(): ServerStatus {
    const { tree, sessions, digest, applied } = this.#state
    return {
      znodes: tree.size,
      dataBytes: tree.dataBytes,
      sessions: [...sessions.values()].map(({ id, timeout }) => ({
        id,
        timeout,
        ephemerals: tree.ephemeralsOf(id).size,
        here: this.#clients.hasSession(id),
      })),
      connections: this.#clients.size,
      watches: this.#clients.watches.size,
      digest,
      applied,
    }
  }
}

const requests = (all: readonly Uint8Array[] = []): ServerOrder[] => all.map((bytes) => ({ kind: 'request', bytes }))
