import { Heap } from './heap.ts'
import type { LeaseFacts } from './lease-index.ts'

/** What the dispatcher ends by its own word. `Timeout` ends the attempt, the others the task. */
export type EndingKind = 'Timeout' | 'Expired' | 'DependencyFailed'

export interface Ending {
  readonly id: string
  /** To be consumed with it. */
  readonly lease: LeaseFacts | null
  readonly kind: EndingKind
  readonly detail: string
}

/** Milliseconds that a worker has to end a timed-out attempt itself; one that is frozen does not. */
export const TIMEOUT_GRACE = 2000

/** What will have taken too long, by when. Void entries are found out when they are due. */
export class Overdue {
  readonly #heap = new Heap<{ readonly at: number; readonly ending: Ending }>((a, b) => a.at < b.at)
  /** What is in the heap already: a record may be read many times. */
  readonly #known = new Set<string>()

  timeout(lease: LeaseFacts, at: number): void {
    this.#put(keyOf('Timeout', lease.id, lease), at + TIMEOUT_GRACE, {
      id: lease.id,
      lease,
      kind: 'Timeout',
      detail: '',
    })
  }

  expires(id: string, at: number): void {
    this.#put(keyOf('Expired', id, null), at, { id, lease: null, kind: 'Expired', detail: '' })
  }

  #put(key: string, at: number, ending: Ending): void {
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.#heap.push({ at, ending })
  }

  again(ending: Ending, at: number): void {
    this.#heap.push({ at, ending })
  }

  take(now: number): readonly Ending[] {
    const taken: Ending[] = []
    for (let first = this.#heap.peek(); first !== undefined && first.at <= now; first = this.#heap.peek()) {
      this.#heap.pop()
      const { kind, id, lease } = first.ending
      this.#known.delete(keyOf(kind, id, lease))
      taken.push(first.ending)
    }
    return taken
  }

  nextAt(): number | null {
    return this.#heap.peek()?.at ?? null
  }
}

const keyOf = (kind: EndingKind, id: string, lease: LeaseFacts | null): string =>
  `${kind}/${id}/${lease === null ? '' : `${lease.wid}/${lease.attempt}`}`
