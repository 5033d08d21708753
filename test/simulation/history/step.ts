import type { ReferenceTree, TreeChange } from './reference-tree.ts'
import type { LogEntry } from './types.ts'

/** A history is refused, by the step that throws it. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export function demand(holds: boolean, why: () => string): asserts holds {
  if (!holds) throw new Refused(why())
}

/** One concern of the checker. It is shown the log once, from the beginning. */
export interface Step {
  readonly step: number
  /** The state in front of the entry; `position` is the entry's: 1 is the first. */
  before?(position: number, entry: LogEntry, tree: ReferenceTree): void
  /** The state behind it. Also called for position 0, the fresh tree. */
  after?(position: number, tree: ReferenceTree, changes: readonly TreeChange[]): void
  finish?(): void
}
