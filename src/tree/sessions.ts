import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { type Digest, finish, HIGH, LOW, mix, mixBig, mixBytes, mixWide } from './digest.ts'
import { Replies, type RepliesFields } from './replies.ts'

/** What all replicas know of a session. Replaced, never changed. */
export interface Session {
  readonly id: SessionId
  /** Milliseconds. */
  readonly timeout: number
  readonly password: Uint8Array
  /** The connection that it answers to; a request that came by another one is refused (SessionMoved). */
  readonly origin: number
  /** Of its request numbers; 0: a client that does not number them. */
  readonly line: number
}

/** The replicated sessions. ZooKeeper: sessionsWithTimeouts, with a password that is random and no function of the id. */
export class SessionTable {
  readonly #sessions = new Map<SessionId, Session>()
  readonly #replies = new Map<SessionId, Replies>()
  readonly #digest: Digest

  constructor(digest: Digest) {
    this.#digest = digest
  }

  get size(): number {
    return this.#sessions.size
  }

  get(id: SessionId): Session | undefined {
    return this.#sessions.get(id)
  }

  values(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  /** Adds, or replaces one of the same id. */
  set(session: Session): void {
    this.#remove(session.id)
    this.#sessions.set(session.id, session)
    this.#digest.add(hash(HIGH, session), hash(LOW, session))
  }

  delete(id: SessionId): boolean {
    this.#endReplies(id)
    return this.#remove(id)
  }

  /** Of a session with a line. */
  replies(id: SessionId): Replies | undefined {
    return this.#replies.get(id)
  }

  /** The session's line begins with this txn; 0: it has none from here on. */
  begin(id: SessionId, line: number, zxid: Zxid): void {
    this.#endReplies(id)
    if (line !== 0) this.#replies.set(id, new Replies(id, line, zxid, this.#digest))
  }

  /** From a snapshot; the session is there. */
  restoreReplies(session: Session, fields: RepliesFields): void {
    this.set({ ...session, line: fields.line })
    this.#replies.set(session.id, Replies.restored(session.id, fields, this.#digest))
  }

  #endReplies(id: SessionId): void {
    this.#replies.get(id)?.end()
    this.#replies.delete(id)
  }

  #remove(id: SessionId): boolean {
    const session = this.#sessions.get(id)
    if (session === undefined) return false
    this.#digest.remove(hash(HIGH, session), hash(LOW, session))
    return this.#sessions.delete(id)
  }
}

const hash = (lane: number, { id, timeout, password, origin, line }: Session): number =>
  finish(mixWide(mixWide(mix(mixBytes(mixBig(lane, id), password), timeout), origin), line))
