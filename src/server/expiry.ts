import type { SessionId } from '../base/ids.ts'

/** Sessions end up to this much later than their timeout says, milliseconds. */
const GRAIN = 250

/** When which session ends if nothing is heard of it: the leader's. Buckets of time, so that a touch costs O(1). ZooKeeper: ExpiryQueue. */
export class SessionExpiry {
  readonly #buckets = new Map<number, Set<SessionId>>()
  readonly #bucketOf = new Map<SessionId, number>()
  /** The first bucket that was not emptied yet. */
  #next: number

  constructor(now: number) {
    this.#next = Math.floor(now / GRAIN)
  }

  /** It was heard of: a full timeout from now. Also adds it. */
  touch(session: SessionId, timeout: number, now: number): void {
    const bucket = Math.max(this.#next, Math.ceil((now + timeout) / GRAIN))
    const before = this.#bucketOf.get(session)
    if (before === bucket) return
    this.remove(session)
    this.#bucketOf.set(session, bucket)
    const sessions = this.#buckets.get(bucket)
    if (sessions === undefined) this.#buckets.set(bucket, new Set([session]))
    else sessions.add(session)
  }

  has(session: SessionId): boolean {
    return this.#bucketOf.has(session)
  }

  remove(session: SessionId): void {
    const bucket = this.#bucketOf.get(session)
    if (bucket === undefined) return
    this.#bucketOf.delete(session)
    const sessions = this.#buckets.get(bucket)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#buckets.delete(bucket)
  }

  /** Those whose time is over; each is told once. */
  due(now: number): SessionId[] {
    const out: SessionId[] = []
    for (; this.#next * GRAIN <= now; this.#next++) {
      const sessions = this.#buckets.get(this.#next)
      if (sessions === undefined) continue
      this.#buckets.delete(this.#next)
      for (const session of sessions) {
        this.#bucketOf.delete(session)
        out.push(session)
      }
    }
    return out
  }
}
