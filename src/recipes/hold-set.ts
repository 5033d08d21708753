import type { Op } from '../client/api.ts'
import type { Hold } from './hold.ts'

/** Several locks held together. It is over as soon as one of them is. */
export interface HoldSet extends AsyncDisposable {
  /** In the order in which they were taken. */
  readonly holds: readonly Hold[]
  /** Aborts with the first of theirs. */
  readonly signal: AbortSignal
  /** Put all into a `multi`. */
  guards(): readonly Op[]
  /** All of them. Idempotent. */
  release(): Promise<void>
}

export function holdSet(holds: readonly Hold[]): HoldSet {
  const release = async (): Promise<void> => {
    await Promise.all(holds.map((hold) => hold.release()))
  }
  return {
    holds,
    signal: AbortSignal.any(holds.map(({ signal }) => signal)),
    guards: () => holds.map((hold) => hold.guard()),
    release,
    [Symbol.asyncDispose]: release,
  }
}
