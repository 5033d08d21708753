import type { SessionId } from '../base/ids.ts'
import { type Digest, finish, HIGH, LOW, mix, mixBig, mixBytes, mixWide } from './digest.ts'

/** What all replicas know of a session. Replaced, never changed. */
export interface Session {
  readonly id: SessionId
  /** Milliseconds. */
  readonly timeout: number
  readonly password: Uint8Array
  /** The connection that it answers to; a request that came by another one is refused (SessionMoved). */
  readonly origin: number
}

/** The replicated sessions. ZooKeeper: sessionsWithTimeouts, with a password that is random and no function of the id. */
export class SessionTable {
  readonly #sessions = new Map<SessionId, Session>()
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
    this.delete(session.id)
    this.#sessions.set(session.id, session)
    this.#digest.add(hash(HIGH, session), hash(LOW, session))
  }

  delete(id: SessionId): boolean {
    const session = this.#sessions.get(id)
    if (session === undefined) return false
    this.#digest.remove(hash(HIGH, session), hash(LOW, session))
    return this.#sessions.delete(id)
  }
}

const hash = (lane: number, { id, timeout, password, origin }: Session): number =>
  finish(mixWide(mix(mixBytes(mixBig(lane, id), password), timeout), origin))
