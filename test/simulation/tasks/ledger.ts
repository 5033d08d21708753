import { Violation } from '../violation.ts'

/** A store outside the ensemble: one row a task, which refuses a fence lower than one that it has seen. */
export class Ledger {
  readonly #rows = new Map<string, { readonly fence: number; readonly attempt: number }>()
  refused = 0

  write(task: string, fence: number, attempt: number): boolean {
    const row = this.#rows.get(task)
    if (row !== undefined && row.fence > fence) {
      this.refused++
      return false
    }
    if (row !== undefined && attempt < row.attempt) {
      throw new Violation('T6', `${task}: attempt ${attempt} has a higher fence than attempt ${row.attempt}`)
    }
    this.#rows.set(task, { fence, attempt })
    return true
  }

  attemptOf(task: string): number | null {
    return this.#rows.get(task)?.attempt ?? null
  }
}
