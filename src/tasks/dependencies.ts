import type { RecordState } from './task-record.ts'

/** How a task stands with those that it waits for. */
export type Readiness =
  | { readonly kind: 'ready' }
  /** `unknown`: dependencies whose records are to be read. */
  | { readonly kind: 'blocked'; readonly unknown: readonly string[] }
  | { readonly kind: 'failed'; readonly dependency: string; readonly how: string }

export interface Waiter {
  readonly id: string
  readonly after: readonly string[]
  readonly onDepFail: 'fail' | 'run'
}

/** Who waits for whom. A task counts here until its first attempt has been made, so that those it waits for are kept as long. */
export class Dependencies {
  /** By the task that is waited for. */
  readonly #waiters = new Map<string, Set<string>>()
  readonly #after = new Map<string, readonly string[]>()
  /** Waited for, and not there: collected before the dispatcher knew. */
  readonly #missing = new Set<string>()

  put({ id, after }: Waiter): void {
    if (after.length === 0) return this.remove(id)
    if (this.#after.has(id)) return
    this.#after.set(id, after)
    for (const dependency of after) {
      const waiters = this.#waiters.get(dependency)
      if (waiters === undefined) this.#waiters.set(dependency, new Set([id]))
      else waiters.add(id)
    }
  }

  /** Those that nobody waits for any more by it. */
  remove(id: string): void {
    for (const dependency of this.#after.get(id) ?? []) {
      const waiters = this.#waiters.get(dependency)
      waiters?.delete(id)
      if (waiters?.size !== 0) continue
      this.#waiters.delete(dependency)
      this.#missing.delete(dependency)
    }
    this.#after.delete(id)
  }

  waitersOf(id: string): Iterable<string> {
    return this.#waiters.get(id) ?? []
  }

  isWaitedFor(id: string): boolean {
    return this.#waiters.has(id)
  }

  missing(id: string): void {
    if (this.#waiters.has(id)) this.#missing.add(id)
  }

  readiness({ after, onDepFail }: Waiter, stateOf: (id: string) => RecordState | null): Readiness {
    const unknown: string[] = []
    let blocked = false
    for (const dependency of after) {
      const state = stateOf(dependency)
      if (state === 'done') continue
      if (state === 'wait' || (state === null && !this.#missing.has(dependency))) {
        blocked = true
        if (state === null) unknown.push(dependency)
      } else if (onDepFail === 'fail') return { kind: 'failed', dependency, how: state ?? 'gone' }
    }
    return blocked ? { kind: 'blocked', unknown } : { kind: 'ready' }
  }
}
