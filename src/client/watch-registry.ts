import type { WatchEventType } from './api.ts'

/** What a one-shot watch waits for: `exist` is one on a missing node. */
export type OneShotKind = 'data' | 'exist' | 'children'
export type WatchMode = 'persistent' | 'persistentRecursive'
/** What `removeWatches` can name. */
export type WatchType = 'data' | 'children' | 'any'
export type RemovedKind = 'data' | 'children' | 'persistent'

type Paths<L> = Map<string, Set<L>>

/**
 * The client's side of its watches, by server path (ZooKeeper: ZKWatchManager). `L` is a listener, known by its identity: a change
 * is told to it once, however many of its watches match.
 */
export class WatchRegistry<L extends object> {
  readonly #oneShot: Readonly<Record<OneShotKind, Paths<L>>> = {
    data: new Map(),
    exist: new Map(),
    children: new Map(),
  }
  readonly #lasting: Readonly<Record<WatchMode, Paths<L>>> = { persistent: new Map(), persistentRecursive: new Map() }
  /** Requests on their way that will register something, by path. */
  readonly #expected = new Map<string, number>()

  /** A request that may register at this path was made; call the result when it is settled. */
  expect(path: string): () => void {
    this.#expected.set(path, (this.#expected.get(path) ?? 0) + 1)
    return () => {
      const left = (this.#expected.get(path) ?? 0) - 1
      if (left > 0) this.#expected.set(path, left)
      else this.#expected.delete(path)
    }
  }

  addOneShot(kind: OneShotKind, path: string, listener: L): void {
    add(this.#oneShot[kind], path, listener)
  }

  addLasting(mode: WatchMode, path: string, listener: L): void {
    add(this.#lasting[mode], path, listener)
  }

  lastingAt(mode: WatchMode, path: string): ReadonlySet<L> {
    return this.#lasting[mode].get(path) ?? new Set()
  }

  /** Does anything wait at exactly this path, or soon? */
  watches(path: string): boolean {
    return (
      this.#expected.has(path) ||
      [...Object.values(this.#oneShot), ...Object.values(this.#lasting)].some((paths) => paths.has(path))
    )
  }

  /** The listeners for a change, in no order; the one-shot watches among them are used up. */
  fired(type: WatchEventType, path: string): Set<L> {
    const listeners = new Set<L>()
    const { data, exist, children } = this.#oneShot
    if (type !== 'NodeChildrenChanged') for (const paths of [data, exist]) take(paths, path, listeners)
    if (type === 'NodeChildrenChanged' || type === 'NodeDeleted') take(children, path, listeners)
    for (const listener of this.#lasting.persistent.get(path) ?? []) listeners.add(listener)
    if (type !== 'NodeChildrenChanged' && this.#lasting.persistentRecursive.size > 0) {
      for (let at = path; ; at = parentOf(at)) {
        for (const listener of this.#lasting.persistentRecursive.get(at) ?? []) listeners.add(listener)
        if (at === '/') break
      }
    }
    return listeners
  }

  /** Is there a watch of that type (of that listener)? */
  has(path: string, type: WatchType, listener: L | undefined): boolean {
    return this.#tables(type).some(([, paths]) => {
      const at = paths.get(path)
      return at !== undefined && (listener === undefined || at.has(listener))
    })
  }

  /** Forgets watches; says which kinds there were. */
  remove(path: string, type: WatchType, listener: L | undefined): RemovedKind[] {
    const kinds = new Set<RemovedKind>()
    for (const [kind, paths] of this.#tables(type)) {
      const at = paths.get(path)
      if (at === undefined || (listener !== undefined && !at.delete(listener))) continue
      kinds.add(kind)
      if (listener === undefined || at.size === 0) paths.delete(path)
    }
    return [...kinds]
  }

  /** Of each kind: the paths to watch again on a new connection. */
  paths(): Readonly<Record<OneShotKind | WatchMode, readonly string[]>> {
    const { data, exist, children } = this.#oneShot
    const { persistent, persistentRecursive } = this.#lasting
    return {
      data: [...data.keys()],
      exist: [...exist.keys()],
      children: [...children.keys()],
      persistent: [...persistent.keys()],
      persistentRecursive: [...persistentRecursive.keys()],
    }
  }

  clear(): void {
    for (const paths of [...Object.values(this.#oneShot), ...Object.values(this.#lasting)]) paths.clear()
  }

  #tables(type: WatchType): (readonly [RemovedKind, Paths<L>])[] {
    const { data, exist, children } = this.#oneShot
    const tables: (readonly [RemovedKind, Paths<L>])[] = []
    if (type !== 'children') tables.push(['data', data], ['data', exist])
    if (type !== 'data') tables.push(['children', children])
    if (type === 'any') {
      for (const paths of Object.values(this.#lasting)) tables.push(['persistent', paths])
    }
    return tables
  }
}

function add<L>(paths: Paths<L>, path: string, listener: L): void {
  const at = paths.get(path)
  if (at === undefined) paths.set(path, new Set([listener]))
  else at.add(listener)
}

function take<L>(paths: Paths<L>, path: string, into: Set<L>): void {
  for (const listener of paths.get(path) ?? []) into.add(listener)
  paths.delete(path)
}

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
