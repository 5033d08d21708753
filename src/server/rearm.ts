import type { Zxid } from '../base/zxid.ts'
import { PERMISSIONS } from '../jute/opcodes.ts'
import type { SimpleRequest } from '../jute/requests.ts'
import { allows } from '../tree/acl.ts'
import type { Change } from '../tree/apply.ts'
import type { State } from '../tree/state.ts'
import type { Connection } from './connection.ts'
import type { RecentChanges } from './recent.ts'
import { WATCH, type Watches } from './watches.ts'

/** A change that a client missed while it was away. */
export interface Missed {
  readonly type: Change['type']
  readonly path: string
  readonly zxid: Zxid
}

/**
 * A client that came back registers its watches again, with the last zxid that it saw: what changed since fires at once, the rest is armed.
 * Persistent watches are armed and miss what happened (but see `resume`). ZooKeeper: DataTree.setWatches.
 */
export function rearm(
  state: State,
  watches: Watches,
  connection: Connection,
  request: SimpleRequest<'setWatches' | 'setWatches2' | 'resumeWatches'>,
): Missed[] {
  const { id, who } = connection
  const since = request.relativeZxid
  const missed: Missed[] = []
  const look = (
    path: string,
    modes: number,
    changed: (at: NonNullable<ReturnType<typeof state.tree.get>>) => Missed | null,
  ): void => {
    const node = state.tree.get(path)
    const event = node === undefined ? { type: 'NodeDeleted' as const, path, zxid: state.applied } : changed(node)
    if (event === null) watches.add(id, path, modes)
    else if (node === undefined || allows(node.acl, PERMISSIONS.read, who)) missed.push(event)
  }
  for (const path of request.dataWatches) {
    look(path, WATCH.data, ({ mzxid }) => (mzxid > since ? { type: 'NodeDataChanged', path, zxid: mzxid } : null))
  }
  for (const path of request.existWatches) {
    const node = state.tree.get(path)
    if (node === undefined) watches.add(id, path, WATCH.data)
    else if (allows(node.acl, PERMISSIONS.read, who)) missed.push({ type: 'NodeCreated', path, zxid: node.czxid })
  }
  for (const path of request.childWatches) {
    look(path, WATCH.child, ({ pzxid }) => (pzxid > since ? { type: 'NodeChildrenChanged', path, zxid: pzxid } : null))
  }
  if (request.kind !== 'setWatches') {
    for (const path of request.persistentWatches) watches.add(id, path, WATCH.persistent)
    for (const path of request.persistentRecursiveWatches) watches.add(id, path, WATCH.recursive)
  }
  return missed
}

/**
 * The same for a connection that negotiated it: all watches at once, from the changes themselves. The client hears what it would have heard,
 * had it not been away: each change once, in order, of whatever watches. Null: the changes do not reach back so far, and nothing is armed.
 */
export function resume(
  watches: Watches,
  connection: Connection,
  requests: readonly SimpleRequest<'resumeWatches'>[],
  recent: RecentChanges,
): Missed[] | null {
  const { id, who } = connection
  const since = Math.min(...requests.map(({ relativeZxid }) => relativeZxid)) as Zxid
  if (!recent.reaches(since)) return null
  for (const request of requests) {
    for (const path of [...request.dataWatches, ...request.existWatches]) watches.add(id, path, WATCH.data)
    for (const path of request.childWatches) watches.add(id, path, WATCH.child)
    for (const path of request.persistentWatches) watches.add(id, path, WATCH.persistent)
    for (const path of request.persistentRecursiveWatches) watches.add(id, path, WATCH.recursive)
  }
  const missed: Missed[] = []
  for (const { zxid, changes } of recent.after(since)) {
    for (const change of changes) {
      const { type, path, acl } = change
      if (watches.fireFor(id, change) && allows(acl, PERMISSIONS.read, who)) missed.push({ type, path, zxid })
    }
  }
  return missed
}
