import { LIMITS } from '../base/limits.ts'
import { ZXID_NONE, type Zxid } from '../base/zxid.ts'
import type { Change } from '../tree/apply.ts'

interface ChangesOf {
  readonly zxid: Zxid
  readonly changes: readonly Change[]
}

/**
 * The newest changes, as they were applied, each with who might see it then. As far back as memory or this replica's log goes; a snapshot
 * tells nothing of what led to it.
 */
export class RecentChanges {
  readonly #max: number
  #kept: ChangesOf[] = []
  #count = 0
  /** Everything behind it is here. */
  #base: Zxid = ZXID_NONE

  /** In changes; somewhat fewer are kept. */
  constructor(max: number = LIMITS.changesKeptMax) {
    this.#max = max
  }

  /** The state was replaced by one that stands at `zxid`. */
  restart(zxid: Zxid): void {
    this.#kept = []
    this.#count = 0
    this.#base = zxid
  }

  add(zxid: Zxid, changes: readonly Change[]): void {
    if (changes.length === 0) return
    this.#kept.push({ zxid, changes })
    this.#count += changes.length
    if (this.#count > this.#max) this.#forget()
  }

  reaches(zxid: Zxid): boolean {
    return zxid >= this.#base
  }

  /** In order. `zxid` must be reached. */
  after(zxid: Zxid): readonly ChangesOf[] {
    let low = 0
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#kept[middle] as ChangesOf).zxid <= zxid) low = middle + 1
      else high = middle
    }
    return this.#kept.slice(low)
  }

  /** A quarter at a time, so that one change costs O(1). */
  #forget(): void {
    let cut = 0
    while (this.#count > this.#max * 0.75) {
      const oldest = this.#kept[cut++] as ChangesOf
      this.#count -= oldest.changes.length
      this.#base = oldest.zxid
    }
    this.#kept = this.#kept.slice(cut)
  }
}
