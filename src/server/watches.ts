import type { Change } from '../tree/apply.ts'
import { parentOf } from '../tree/path.ts'
import type { ConnectionId } from './orders.ts'

/** Modes of a registration, as bits. A lasting one is two: in the table for data and in that for children. */
export const WATCH = { data: 1, child: 2, persistent: 4 | 8, recursive: 16 | 32 } as const

/**
 * ZooKeeper keeps two tables. In each a connection has one mode a path: the last registration replaces the others
 * (ZOOKEEPER-4466).
 */
const PERSISTENT = { data: 4, child: 8 } as const
const RECURSIVE = { data: 16, child: 32 } as const
export const TABLE = {
  data: WATCH.data | PERSISTENT.data | RECURSIVE.data,
  child: WATCH.child | PERSISTENT.child | RECURSIVE.child,
} as const

/** Which modes on the changed path see which change, and which of them are used up by it. */
const TRIGGERS: { readonly [T in Change['type']]: { readonly seenBy: number; readonly uses: number } } = {
  NodeCreated: { seenBy: TABLE.data, uses: WATCH.data },
  NodeDataChanged: { seenBy: TABLE.data, uses: WATCH.data },
  NodeDeleted: { seenBy: TABLE.data | TABLE.child, uses: WATCH.data | WATCH.child },
  NodeChildrenChanged: { seenBy: WATCH.child | PERSISTENT.child, uses: WATCH.child },
}

/**
 * The watches of this replica's connections: in memory, never replicated, gone with the connection. ZooKeeper: WatchManager (twice)
 * and WatcherModeManager.
 */
export class Watches {
  readonly #byPath = new Map<string, Map<ConnectionId, number>>()
  readonly #byConnection = new Map<ConnectionId, Set<string>>()
  #recursive = 0
  #size = 0

  /** Pairs of a connection and a path. */
  get size(): number {
    return this.#size
  }

  add(connection: ConnectionId, path: string, modes: number): void {
    let kept = this.#modes(connection, path)
    for (const table of Object.values(TABLE)) if ((modes & table) !== 0) kept &= ~table
    this.#put(connection, path, kept | modes)
  }

  has(connection: ConnectionId, path: string, modes: number): boolean {
    return (this.#modes(connection, path) & modes) !== 0
  }

  /** False: there was none. */
  remove(connection: ConnectionId, path: string, modes: number): boolean {
    const before = this.#modes(connection, path)
    if ((before & modes) === 0) return false
    this.#put(connection, path, before & ~modes)
    return true
  }

  closed(connection: ConnectionId): void {
    for (const path of this.#byConnection.get(connection) ?? []) this.#put(connection, path, 0)
    this.#byConnection.delete(connection)
  }

  clear(): void {
    this.#byPath.clear()
    this.#byConnection.clear()
    this.#recursive = 0
    this.#size = 0
  }

  /** The one fan-out: who sees this change, each once. One-shot watches are used up. */
  fire({ type, path }: Change): Iterable<ConnectionId> {
    if (this.#size === 0) return []
    const { seenBy, uses } = TRIGGERS[type]
    const seers = new Set<ConnectionId>()
    for (const [connection, modes] of this.#byPath.get(path) ?? []) {
      if ((modes & seenBy) === 0) continue
      seers.add(connection)
      if ((modes & uses) !== 0) this.#put(connection, path, modes & ~uses)
    }
    if (this.#recursive > 0 && (seenBy & WATCH.recursive) !== 0) this.#fromAbove(path, seenBy & WATCH.recursive, seers)
    return seers
  }

  /** Does this connection see the change? As `fire`, for it alone. */
  fireFor(connection: ConnectionId, { type, path }: Change): boolean {
    const { seenBy, uses } = TRIGGERS[type]
    const modes = this.#modes(connection, path)
    if ((modes & uses) !== 0) this.#put(connection, path, modes & ~uses)
    if ((modes & seenBy) !== 0) return true
    const above = seenBy & WATCH.recursive
    if (this.#recursive === 0 || above === 0) return false
    for (let at = path; at !== '/'; ) {
      at = parentOf(at)
      if ((this.#modes(connection, at) & above) !== 0) return true
    }
    return false
  }

  #fromAbove(path: string, seenBy: number, seers: Set<ConnectionId>): void {
    for (let at = path; at !== '/'; ) {
      at = parentOf(at)
      for (const [connection, modes] of this.#byPath.get(at) ?? []) {
        if ((modes & seenBy) !== 0) seers.add(connection)
      }
    }
  }

  #modes(connection: ConnectionId, path: string): number {
    return this.#byPath.get(path)?.get(connection) ?? 0
  }

  #put(connection: ConnectionId, path: string, modes: number): void {
    const before = this.#modes(connection, path)
    if (before === modes) return
    this.#recursive += Number((modes & WATCH.recursive) !== 0) - Number((before & WATCH.recursive) !== 0)
    this.#size += (modes === 0 ? 0 : 1) - (before === 0 ? 0 : 1)
    const watchers = this.#byPath.get(path) ?? new Map<ConnectionId, number>()
    const paths = this.#byConnection.get(connection) ?? new Set<string>()
    if (modes === 0) {
      watchers.delete(connection)
      paths.delete(path)
      if (watchers.size === 0) this.#byPath.delete(path)
      if (paths.size === 0) this.#byConnection.delete(connection)
      return
    }
    this.#byPath.set(path, watchers.set(connection, modes))
    this.#byConnection.set(connection, paths.add(path))
  }
}
