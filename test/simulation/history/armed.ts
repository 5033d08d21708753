import type { Changes, Happened, Sight } from './changes.ts'

export type WatchKind = 'once' | 'persistent' | 'recursive'
export type Table = 'data' | 'children'

interface Watch {
  readonly kind: WatchKind
  readonly table: Table
  readonly path: string
  next: Happened
}

const sight = (table: Table, kind: WatchKind): Sight => (kind === 'recursive' ? `${table}-below` : table)

/**
 * The watches that a connection has at its replica, and what they will tell next. As in ZooKeeper, two tables with one watch a path each; the
 * last registration replaces the others (ZOOKEEPER-4466), and a change is told once, however many of them see it.
 */
export class Armed {
  readonly #changes: Changes
  readonly #watches = new Map<string, Watch | null>()
  /** Heap of watches that will tell something, by what comes first; some are replaced by now. */
  readonly #soon: Watch[] = []

  constructor(changes: Changes) {
    this.#changes = changes
  }

  /** Sees what happens behind this position. */
  arm(table: Table, path: string, kind: WatchKind, position: number): void {
    const next = this.#changes.first(sight(table, kind), path, (change) => change.position > position)
    this.#watches.set(`${table} ${path}`, null)
    if (next === undefined) return
    const watch = { kind, table, path, next }
    this.#watches.set(`${table} ${path}`, watch)
    this.#push(watch)
  }

  disarm(table: Table, path: string): void {
    this.#watches.delete(`${table} ${path}`)
  }

  /** The next change that it will be told of. */
  peek(): Happened | undefined {
    for (let top = this.#soon[0]; top !== undefined; top = this.#soon[0]) {
      if (this.#watches.get(`${top.table} ${top.path}`) === top) return top.next
      this.#pop()
    }
    return undefined
  }

  /** Takes it. */
  take(): Happened | undefined {
    const next = this.peek()
    if (next === undefined) return undefined
    while (this.peek()?.ordinal === next.ordinal) {
      const watch = this.#pop()
      if (watch === undefined) break
      if (watch.kind === 'once') {
        this.#watches.delete(`${watch.table} ${watch.path}`)
        continue
      }
      const after = this.#changes.first(sight(watch.table, watch.kind), watch.path, (one) => one.ordinal > next.ordinal)
      if (after === undefined) continue
      watch.next = after
      this.#push(watch)
    }
    return next
  }

  #push(watch: Watch): void {
    const heap = this.#soon
    let at = heap.push(watch) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.next.ordinal <= watch.next.ordinal) break
      heap[at] = above
      at = parent
    }
    heap[at] = watch
  }

  #pop(): Watch | undefined {
    const heap = this.#soon
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && right.next.ordinal < left.next.ordinal) child++
      const lower = heap[child]
      if (lower === undefined || lower.next.ordinal >= last.next.ordinal) break
      heap[at] = lower
      at = child
    }
    heap[at] = last
    return top
  }
}
