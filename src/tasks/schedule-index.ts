import { Heap } from './heap.ts'

interface Entry {
  readonly sid: string
  readonly version: number
  readonly next: number
}

/** The schedules by their next time. */
export class ScheduleIndex {
  readonly #known = new Map<string, Entry>()
  readonly #heap = new Heap<Entry>((a, b) => a.next < b.next)

  /** `next` 0: it has no time any more. */
  put(sid: string, version: number, next: number): void {
    const entry = { sid, version, next }
    this.#known.set(sid, entry)
    if (next > 0) this.#heap.push(entry)
  }

  remove(sid: string): void {
    this.#known.delete(sid)
  }

  #top(): Entry | null {
    for (let first = this.#heap.peek(); first !== undefined; first = this.#heap.peek()) {
      if (this.#known.get(first.sid) === first) return first
      this.#heap.pop()
    }
    return null
  }

  /** Those that are due; each comes again only when it was put again. */
  take(now: number): readonly string[] {
    const due: string[] = []
    for (let first = this.#top(); first !== null && first.next <= now; first = this.#top()) {
      this.#heap.pop()
      due.push(first.sid)
    }
    return due
  }

  nextAt(): number | null {
    return this.#top()?.next ?? null
  }
}
