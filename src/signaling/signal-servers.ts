import type { ReplicaId } from '../base/ids.ts'
import { parseEnvelope } from './parse-signal.ts'
import { type LineParts, ServerLine } from './server-line.ts'
import type { Envelope } from './signal.ts'
import type { Signaling } from './signaling.ts'

type Word = { readonly [field: string]: unknown }

/** What a server says to who asks to found. */
export type Answer =
  | { readonly kind: 'granted'; readonly lease: number }
  /** `young`: the server has just started; `leased`: somebody else founds now; `founded`: somebody has; `full`. */
  | { readonly kind: 'denied'; readonly reason: string; readonly retryAfter: number }
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'refused' }
  /** No connection, or a server that does not know founding. */
  | { readonly kind: 'silence' }

/** The same words arrive over every server. */
type Hear = (signal: Envelope) => void

interface Question {
  readonly topic: string
  readonly claim: string
  readonly types: readonly unknown[]
  readonly answer: (answer: Answer) => void
}

const ANSWER_WITHIN = 3000
const RETRY_AFTER_MAX = 60_000

/**
 * The signaling servers of a page, all used at once: one connection each, whatever runs over it. Speaks the y-webrtc protocol;
 * founding is asked of the first of the sorted addresses alone.
 */
export class SignalServers {
  readonly #lines: readonly ServerLine[]
  readonly #after: LineParts['after']
  readonly #topics = new Map<string, Set<Hear>>()
  readonly #reached = new Set<() => void>()
  readonly #questions = new Set<Question>()
  /** What exists, by topic: said again after each reconnection. */
  readonly #known = new Map<string, string>()

  /** `urls`: `ws:` or `wss:` addresses, one at least. */
  constructor(urls: readonly string[], parts: LineParts) {
    this.#after = parts.after
    const sorted = [...new Set(urls.map((url) => new URL(url).href))].sort()
    this.#lines = sorted.map((url, i) => {
      const line: ServerLine = new ServerLine(url, parts, {
        opened: () => this.#opened(line, i === 0),
        heard: (word) => this.#heard(word, i === 0),
        closed: () => undefined,
      })
      return line
    })
  }

  /** The addresses, and which of them are connected now. */
  get status(): readonly { readonly url: string; readonly open: boolean }[] {
    return this.#lines.map(({ url, open }) => ({ url, open }))
  }

  /** One more Signaling over the same connections. It joins at once: whom it reaches later, it says by `onreach`. */
  signaling(): Signaling {
    return new ServersSignaling(this)
  }

  /** May we found? `claim`: 32 hexadecimal digits of our own. */
  async mayFound(topic: string, claim: string): Promise<Answer> {
    return this.#ask({ type: 'found', topic, claim }, ['grant', 'deny'])
  }

  /** We have founded, durably. `ensemble`: 32 hexadecimal digits, for the server to compare. */
  async confirm(topic: string, claim: string, ensemble: string): Promise<Answer> {
    return this.#ask({ type: 'founded', topic, claim, ensemble }, ['confirmed', 'refused'])
  }

  /** We are members of it: said now, and whenever the first server forgets us. */
  assert(topic: string, ensemble: string): void {
    this.#known.set(topic, ensemble)
    this.#lines[0]?.say({ type: 'founded', topic, ensemble })
  }

  /** For good. */
  end(): void {
    for (const line of this.#lines) line.end()
    for (const question of [...this.#questions]) question.answer({ kind: 'silence' })
    this.#topics.clear()
    this.#reached.clear()
  }

  subscribe(topics: readonly string[], hear: Hear, reached: () => void): void {
    for (const topic of topics) {
      const all = this.#topics.get(topic) ?? new Set()
      this.#topics.set(topic, all.add(hear))
    }
    this.#reached.add(reached)
    for (const line of this.#lines) line.say({ type: 'subscribe', topics })
  }

  unsubscribe(topics: readonly string[], hear: Hear, reached: () => void): void {
    this.#reached.delete(reached)
    for (const topic of topics) {
      const all = this.#topics.get(topic)
      all?.delete(hear)
      if (all?.size !== 0) continue
      this.#topics.delete(topic)
      for (const line of this.#lines) line.say({ type: 'unsubscribe', topics: [topic] })
    }
  }

  publish(topic: string, signal: Envelope): void {
    for (const line of this.#lines) line.say({ type: 'publish', topic, signal })
  }

  #opened(line: ServerLine, first: boolean): void {
    if (this.#topics.size > 0) line.say({ type: 'subscribe', topics: [...this.#topics.keys()] })
    if (first) for (const [topic, ensemble] of this.#known) line.say({ type: 'founded', topic, ensemble })
    for (const reached of this.#reached) reached()
  }

  #heard(word: Word, first: boolean): void {
    const { type, topic, claim } = word
    if (type === 'publish') {
      const signal = parseEnvelope(word['signal'])
      if (signal === null || typeof topic !== 'string') return
      for (const hear of this.#topics.get(topic) ?? []) hear(signal)
    } else if (first) {
      for (const question of [...this.#questions])
        if (question.topic === topic && question.claim === claim && question.types.includes(type))
          question.answer(answerOf(word))
    }
  }

  #ask(word: Word & { readonly topic: string; readonly claim: string }, types: readonly string[]): Promise<Answer> {
    const first = this.#lines[0]
    if (first?.open !== true) return Promise.resolve({ kind: 'silence' })
    return new Promise((resolve) => {
      const answer = (given: Answer): void => {
        stop()
        this.#questions.delete(question)
        resolve(given)
      }
      const question: Question = { topic: word.topic, claim: word.claim, types, answer }
      const stop = this.#after(ANSWER_WITHIN, () => answer({ kind: 'silence' }))
      this.#questions.add(question)
      first.say(word)
    })
  }
}

function answerOf(word: Word): Answer {
  const { type, lease, reason, retryAfter } = word
  if (type === 'grant') return isTime(lease) ? { kind: 'granted', lease } : { kind: 'silence' }
  if (type === 'confirmed' || type === 'refused') return { kind: type }
  const wait = isTime(retryAfter) ? Math.min(retryAfter, RETRY_AFTER_MAX) : RETRY_AFTER_MAX
  return { kind: 'denied', reason: typeof reason === 'string' ? reason.slice(0, 20) : '', retryAfter: wait }
}

const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0

/** Each replica hears a topic of its own too, so that what is for one goes to one. */
class ServersSignaling implements Signaling {
  onreach: (() => void) | null = null
  readonly #servers: SignalServers
  readonly #reached = (): void => this.onreach?.()
  #joined: { readonly topics: readonly [string, string]; readonly hear: Hear } | null = null

  constructor(servers: SignalServers) {
    this.#servers = servers
  }

  async join(topic: string, onSignal: (signal: Envelope) => void, self: ReplicaId): Promise<void> {
    this.leave()
    const topics = [topic, `${topic}/${self}`] as const
    this.#joined = { topics, hear: (signal) => onSignal(signal) }
    this.#servers.subscribe(topics, this.#joined.hear, this.#reached)
  }

  send(signal: Envelope, to?: ReplicaId): void {
    const topic = this.#joined?.topics[0]
    if (topic !== undefined) this.#servers.publish(to === undefined ? topic : `${topic}/${to}`, signal)
  }

  leave(): void {
    if (this.#joined === null) return
    this.#servers.unsubscribe(this.#joined.topics, this.#joined.hear, this.#reached)
    this.#joined = null
  }
}
