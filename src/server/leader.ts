import { ERROR_CODES } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import { DecodeError, decode } from '../jute/reader.ts'
import { encodeTxn, type Txn } from '../jute/txns.ts'
import { Writer } from '../jute/writer.ts'
import { ownerKind, ttlOf } from '../tree/owner.ts'
import { Preparer } from '../tree/prepare.ts'
import type { PrepareOptions } from '../tree/prepare-op.ts'
import { encodeLeaderRequest } from '../tree/request.ts'
import type { State } from '../tree/state.ts'
import { SessionExpiry } from './expiry.ts'

/** What a replica does for its ensemble while it leads: it turns requests into txns, and sessions that are silent end. */
export class Leader {
  readonly #state: State
  readonly #preparer: Preparer
  readonly #expiry: SessionExpiry
  #now: number
  #reapedAt: number

  /** Every session gets a full fresh timeout: nobody knows when its client was last heard. */
  constructor(state: State, options: PrepareOptions, now: number) {
    this.#state = state
    this.#preparer = new Preparer(state, options)
    this.#expiry = new SessionExpiry(now)
    this.#now = now
    this.#reapedAt = now
    for (const { id, timeout } of state.sessions.values()) this.#expiry.touch(id, timeout, now)
  }

  prepare(zxid: Zxid, request: Uint8Array, now: number, wall: number): Uint8Array {
    const txn = this.#preparer.prepare(zxid, request, wall)
    if (fromItsSession(txn.body)) this.heard(txn.session, now)
    return encodeTxn(txn)
  }

  /** Sessions that are ending stay so. */
  heard(session: SessionId, now: number): void {
    this.#now = now
    const known = this.#expiry.has(session) ? this.#state.sessions.get(session) : undefined
    if (known !== undefined) this.#expiry.touch(session, known.timeout, now)
  }

  applied(zxid: Zxid, txn: Txn | null): void {
    this.#preparer.applied(zxid)
    if (txn?.body.kind === 'createSession' || txn?.body.kind === 'moveSession') {
      this.#expiry.touch(txn.session, txn.body.timeout, this.#now)
    } else if (txn?.body.kind === 'closeSession') this.#expiry.remove(txn.session)
  }

  /** Requests that end the sessions that are due, and now and then those of the reaper. */
  ticked(now: number, wall: number): Uint8Array<ArrayBuffer>[] {
    this.#now = now
    const requests = this.#expiry.due(now).map((session) => encodeLeaderRequest({ kind: 'endSession', session }))
    if (now - this.#reapedAt < TIMES.reap) return requests
    this.#reapedAt = now
    return [...requests, ...this.reap(wall)]
  }

  /**
   * Requests that delete what has outlived its use: containers that had children and have none, TTL nodes without children and unchanged for
   * longer than their ttl. ZooKeeper: ContainerManager.
   */
  reap(wall: number): Uint8Array<ArrayBuffer>[] {
    const requests: Uint8Array<ArrayBuffer>[] = []
    for (const path of this.#state.tree.reapable) {
      const node = this.#state.tree.get(path)
      if (node === undefined || node.numChildren > 0) continue
      const over = ownerKind(node.owner) === 'ttl' ? wall - node.mtime > ttlOf(node.owner) : node.creates > 0
      const { czxid, mzxid } = node
      if (over) requests.push(encodeLeaderRequest({ kind: 'reap', path, czxid, mzxid }))
    }
    return requests
  }
}

/** A request that cannot be done is a sign of life too, unless it came over a connection that its session has left. */
const fromItsSession = (body: Txn['body']): boolean =>
  body.kind !== 'error' || (body.code !== ERROR_CODES.SessionExpired && body.code !== ERROR_CODES.SessionMoved)

/** Which sessions were heard of, on their way to the leader. */
export function encodeTouched(sessions: ReadonlySet<SessionId>): Uint8Array<ArrayBuffer> {
  return new Writer(4 + 8 * sessions.size).vector([...sessions], (to, session) => to.bigLong(session)).finish()
}

/** None, if the bytes are not what they should be: then nobody was heard. */
export function decodeTouched(bytes: Uint8Array): readonly SessionId[] {
  if (bytes.length === 0) return []
  try {
    return decode(bytes, (reader) => reader.vector((from) => from.bigLong() as SessionId, 8))
  } catch (error) {
    if (error instanceof DecodeError) return []
    throw error
  }
}
