/** Who listens to which topic. A topic exists while somebody listens. */
export class Topics<S> {
  readonly #byTopic = new Map<string, Set<S>>()
  readonly #bySubscriber = new Map<S, Set<string>>()
  readonly #limits: {
    readonly topicsMax: number
    readonly topicsPerSubscriber: number
    readonly subscribersMax: number
  }

  constructor(limits: {
    /** Topics in all. */
    readonly topicsMax: number
    readonly topicsPerSubscriber: number
    /** Of one topic. */
    readonly subscribersMax: number
  }) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byTopic.size
  }

  /** False: over a limit. */
  subscribe(subscriber: S, topic: string): boolean {
    const own = this.#bySubscriber.get(subscriber) ?? new Set()
    if (own.has(topic)) return true
    const all = this.#byTopic.get(topic)
    if (own.size >= this.#limits.topicsPerSubscriber || (all?.size ?? 0) >= this.#limits.subscribersMax) return false
    if (all === undefined && this.#byTopic.size >= this.#limits.topicsMax) return false
    own.add(topic)
    this.#bySubscriber.set(subscriber, own)
    if (all === undefined) this.#byTopic.set(topic, new Set([subscriber]))
    else all.add(subscriber)
    return true
  }

  unsubscribe(subscriber: S, topic: string): void {
    const own = this.#bySubscriber.get(subscriber)
    if (own?.delete(topic) !== true) return
    if (own.size === 0) this.#bySubscriber.delete(subscriber)
    const all = this.#byTopic.get(topic)
    all?.delete(subscriber)
    if (all?.size === 0) this.#byTopic.delete(topic)
  }

  leave(subscriber: S): void {
    for (const topic of [...(this.#bySubscriber.get(subscriber) ?? [])]) this.unsubscribe(subscriber, topic)
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic)
  }

  subscribers(topic: string): Iterable<S> {
    return this.#byTopic.get(topic) ?? []
  }
}
