import type { SessionId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import { isAfter, replyWeight } from '../jute/numbers.ts'
import type { StatRecord } from '../jute/records.ts'
import { type Digest, finish, HIGH, LOW, mix, mixBig, mixText, mixWide } from './digest.ts'

/** What became of one operation: its reply. */
export type Outcome =
  | { readonly kind: 'create'; readonly path: string; readonly stat: StatRecord }
  | { readonly kind: 'stat'; readonly stat: StatRecord }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly code: number }

/** What a request was answered. `error`: an ERROR_CODES number. */
export interface Reply {
  readonly error: number
  readonly outcomes: readonly Outcome[]
}

/** A reply under its request's number. */
export interface Numbered extends Reply {
  readonly number: number
}

interface Kept extends Numbered {
  readonly weight: number
  readonly high: number
  readonly low: number
}

export interface RepliesFields {
  readonly line: number
  readonly since: Zxid
  readonly forgotten: number
  readonly replies: readonly Numbered[]
}

/**
 * What one session was answered and may not have heard: replicated, so that a request which is asked again under its number is answered as it was,
 * by whichever replica, and never done twice. Numbers stand in a `line`, which one client object draws; who takes the session over begins
 * another. Forgotten is what the client says that it has read, and the oldest above LIMITS.repliesBytesMax.
 */
export class Replies {
  readonly line: number
  /** The txn with which the line began. */
  readonly since: Zxid
  readonly #session: SessionId
  readonly #digest: Digest
  readonly #kept = new Map<number, Kept>()
  #weight = 0
  #forgotten = 0

  constructor(session: SessionId, line: number, since: Zxid, digest: Digest) {
    this.#session = session
    this.line = line
    this.since = since
    this.#digest = digest
    this.#weigh(1)
  }

  static restored(session: SessionId, fields: RepliesFields, digest: Digest): Replies {
    const replies = new Replies(session, fields.line, fields.since, digest)
    replies.#forgetUpTo(fields.forgotten)
    for (const { number, error, outcomes } of fields.replies) replies.#keep(number, { error, outcomes })
    return replies
  }

  get fields(): RepliesFields {
    return { line: this.line, since: this.since, forgotten: this.#forgotten, replies: [...this.#kept.values()] }
  }

  /** Up to this number everything is forgotten; what is asked again has an unknown outcome. */
  get forgotten(): number {
    return this.#forgotten
  }

  get size(): number {
    return this.#kept.size
  }

  get(number: number): Reply | undefined {
    return this.#kept.get(number)
  }

  /** The client has read all replies up to `number`. */
  seen(number: number): void {
    if (!isAfter(number, this.#forgotten)) return
    for (const kept of this.#kept.values()) {
      if (isAfter(kept.number, number)) break
      this.#drop(kept)
    }
    this.#forgetUpTo(number)
  }

  add(number: number, reply: Reply): void {
    this.#keep(number, reply)
    for (const oldest of this.#kept.values()) {
      if (this.#weight <= LIMITS.repliesBytesMax || this.#kept.size === 1) break
      this.#drop(oldest)
      if (isAfter(oldest.number, this.#forgotten)) this.#forgetUpTo(oldest.number)
    }
  }

  /** The session is over, or the line. */
  end(): void {
    for (const kept of this.#kept.values()) this.#drop(kept)
    this.#weigh(-1)
  }

  #keep(number: number, { error, outcomes }: Reply): void {
    let lengths = 0
    for (const outcome of outcomes) if (outcome.kind === 'create') lengths += outcome.path.length
    const reply = { number, error, outcomes }
    const kept: Kept = {
      ...reply,
      weight: replyWeight(outcomes.length, lengths),
      high: hash(HIGH, this.#session, reply),
      low: hash(LOW, this.#session, reply),
    }
    const before = this.#kept.get(number)
    if (before !== undefined) this.#drop(before)
    this.#kept.set(number, kept)
    this.#weight += kept.weight
    this.#digest.add(kept.high, kept.low)
  }

  #drop(kept: Kept): void {
    this.#kept.delete(kept.number)
    this.#weight -= kept.weight
    this.#digest.remove(kept.high, kept.low)
  }

  #forgetUpTo(number: number): void {
    this.#weigh(-1)
    this.#forgotten = number
    this.#weigh(1)
  }

  #weigh(sign: 1 | -1): void {
    const [high, low] = [this.#hash(HIGH), this.#hash(LOW)]
    if (sign === 1) this.#digest.add(high, low)
    else this.#digest.remove(high, low)
  }

  #hash(lane: number): number {
    const named = mixBig(mix(lane, 1), this.#session)
    return finish(mix(mixWide(mixWide(named, this.line), this.since), this.#forgotten))
  }
}

function hash(lane: number, session: SessionId, { number, error, outcomes }: Numbered): number {
  let h = mix(mix(mixBig(mix(lane, 2), session), number), error)
  for (const outcome of outcomes) {
    h = mix(h, outcome.kind.length)
    if (outcome.kind === 'error') h = mix(h, outcome.code)
    else if (outcome.kind === 'create') h = mixStat(mixText(h, outcome.path), outcome.stat)
    else if (outcome.kind === 'stat') h = mixStat(h, outcome.stat)
  }
  return finish(h)
}

function mixStat(hash: number, stat: StatRecord): number {
  let h = mixWide(mixWide(mixWide(hash, stat.czxid), stat.mzxid), stat.pzxid)
  h = mix(mix(mix(mixWide(mixWide(h, stat.ctime), stat.mtime), stat.version), stat.cversion), stat.aversion)
  return mix(mix(mixBig(h, stat.ephemeralOwner), stat.dataLength), stat.numChildren)
}
