/** Milliseconds. */
export interface GrantTerms {
  /** A server that has just started knows of no ensemble: it grants nothing so long. */
  readonly youth: number
  /** How long a grant keeps others from founding, unless it is confirmed. */
  readonly lease: number
  /** How long a founded ensemble is remembered after it was last heard of. */
  readonly keep: number
  /** Topics remembered at once. When they are full, nothing is granted. */
  readonly topicsMax: number
}

export const GRANT_TERMS: GrantTerms = {
  youth: 30_000,
  lease: 10_000,
  keep: 7 * 24 * 3600 * 1000,
  topicsMax: 100_000,
}

export type Verdict =
  /** Found within `lease` milliseconds, and confirm. */
  | { readonly type: 'grant'; readonly lease: number }
  /** Ask again after so many milliseconds. */
  | { readonly type: 'deny'; readonly reason: 'young' | 'leased' | 'full'; readonly retryAfter: number }
  /** There is one already. */
  | { readonly type: 'deny'; readonly reason: 'founded'; readonly retryAfter: number; readonly ensemble: string }

export type Confirmation =
  | { readonly type: 'confirmed' }
  /** Somebody else's ensemble counts. */
  | { readonly type: 'refused'; readonly ensemble: string | null }

type Mark =
  | { readonly kind: 'leased'; readonly claim: string; readonly until: number }
  | { readonly kind: 'founded'; readonly ensemble: string; readonly until: number }

const RETRY_FOUNDED = 5000

/**
 * Who may found an ensemble: one asker a topic. A grant is a lease, and final once the founder says that its log is durable. What
 * members say about an ensemble that exists counts more than a lease. Knows no clock.
 */
export class Grants {
  readonly #terms: GrantTerms
  readonly #bornAt: number
  /** In the order in which they were last heard of. */
  readonly #marks = new Map<string, Mark>()
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(terms: GrantTerms, now: number) {
    this.#terms = terms
    this.#bornAt = now
  }

  /** Topics about which something is remembered. */
  get size(): number {
    return this.#marks.size
  }

  found(topic: string, claim: string, now: number): Verdict {
    const { lease, youth } = this.#terms
    const mark = this.#mark(topic, now)
    if (mark?.kind === 'founded')
      return { type: 'deny', reason: 'founded', retryAfter: RETRY_FOUNDED, ensemble: mark.ensemble }
    const young = this.#bornAt + youth - now
    if (young > 0) return { type: 'deny', reason: 'young', retryAfter: young }
    if (mark !== null && mark.claim !== claim) return { type: 'deny', reason: 'leased', retryAfter: mark.until - now }
    if (!this.#put(topic, { kind: 'leased', claim, until: now + lease }, now))
      return { type: 'deny', reason: 'full', retryAfter: RETRY_FOUNDED }
    return { type: 'grant', lease }
  }

  /** `claim`: null where a member only says that its ensemble exists. */
  founded(topic: string, ensemble: string, claim: string | null, now: number): Confirmation {
    const mark = this.#mark(topic, now)
    if (mark?.kind === 'founded' && mark.ensemble !== ensemble) return { type: 'refused', ensemble: mark.ensemble }
    if (mark?.kind === 'leased' && claim !== null && mark.claim !== claim) return { type: 'refused', ensemble: null }
    // A lease that ran out may have gone to somebody else since. But a server that was started anew during the lease has granted none.
    if (mark === null && claim !== null && now >= this.#bornAt + this.#terms.youth)
      return { type: 'refused', ensemble: null }
    const put = this.#put(topic, { kind: 'founded', ensemble, until: now + this.#terms.keep }, now)
    return put ? { type: 'confirmed' } : { type: 'refused', ensemble: null }
  }

  #mark(topic: string, now: number): Mark | null {
    const mark = this.#marks.get(topic)
    if (mark === undefined) return null
    if (mark.until > now) return mark
    this.#marks.delete(topic)
    return null
  }

  #put(topic: string, mark: Mark, now: number): boolean {
    this.#marks.delete(topic)
    if (this.#marks.size >= this.#terms.topicsMax) this.#sweep(now)
    if (this.#marks.size >= this.#terms.topicsMax) return false
    this.#marks.set(topic, mark)
    return true
  }

  /** At most once a lease: what is full stays full, and the walk is long. */
  #sweep(now: number): void {
    if (now < this.#sweptAt + this.#terms.lease) return
    this.#sweptAt = now
    for (const [topic, mark] of this.#marks) if (mark.until <= now) this.#marks.delete(topic)
  }
}
