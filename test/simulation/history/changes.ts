import type { TreeChange } from './reference-tree.ts'

/** One change that watches can see, in the order of the log. */
export interface Happened extends TreeChange {
  readonly position: number
  /** Its place among all changes. */
  readonly ordinal: number
}

/** What a watch sees: the changes of a path in ZooKeeper's table for data or for children, or those of everything from it downwards. */
export type Sight = 'data' | 'children' | 'data-below' | 'children-below'

const NONE: readonly Happened[] = []

/** All changes, findable by what would see them. */
export class Changes {
  readonly #seen: Readonly<Record<Sight, Map<string, Happened[]>>> = {
    data: new Map(),
    children: new Map(),
    'data-below': new Map(),
    'children-below': new Map(),
  }
  #count = 0

  add(position: number, changes: readonly TreeChange[]): void {
    for (const { type, path } of changes) {
      const happened = { type, path, position, ordinal: this.#count++ }
      if (type !== 'NodeChildrenChanged') this.#put('data', path, happened)
      if (type === 'NodeChildrenChanged' || type === 'NodeDeleted') this.#put('children', path, happened)
      if (type === 'NodeChildrenChanged') continue
      for (let above = path; ; above = above.slice(0, Math.max(1, above.lastIndexOf('/')))) {
        this.#put('data-below', above, happened)
        if (type === 'NodeDeleted') this.#put('children-below', above, happened)
        if (above === '/') break
      }
    }
  }

  /** Of what this watch sees, the first change for which `is` holds, where `is` holds from some change on. */
  first(sight: Sight, path: string, is: (change: Happened) => boolean): Happened | undefined {
    const all = this.#seen[sight].get(path) ?? NONE
    let [low, high] = [0, all.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const change = all[middle]
      if (change !== undefined && is(change)) high = middle
      else low = middle + 1
    }
    return all[low]
  }

  #put(sight: Sight, path: string, happened: Happened): void {
    const all = this.#seen[sight].get(path)
    if (all === undefined) this.#seen[sight].set(path, [happened])
    else all.push(happened)
  }
}
