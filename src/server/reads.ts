import { ERROR_CODES } from '../base/errors.ts'
import type { MultiReadOp, MultiResult } from '../jute/multi.ts'
import { ADD_WATCH_MODES, PERMISSIONS, WATCHER_TYPES } from '../jute/opcodes.ts'
import type { Request } from '../jute/protocol.ts'
import type { SimpleRequest } from '../jute/requests.ts'
import { allows, type Identity, maskedAcl } from '../tree/acl.ts'
import type { State } from '../tree/state.ts'
import type { Znode } from '../tree/znode.ts'
import { type Answer, failed, nothing } from './answers.ts'
import type { Connection } from './connection.ts'
import { TABLE, WATCH, type Watches } from './watches.ts'

/** Answers one read from this replica's state, and sets its watch. ZooKeeper: FinalRequestProcessor. */
export function answerRead(state: State, watches: Watches, connection: Connection, request: Request): Answer {
  const { tree } = state
  const { who, id } = connection
  switch (request.kind) {
    case 'exists': {
      if (request.watch) watches.add(id, request.path, WATCH.data)
      const node = tree.get(request.path)
      return node === undefined ? failed('NoNode') : { kind: 'exists', response: { stat: node.stat() } }
    }
    case 'getData': {
      const node = readable(tree.get(request.path), who)
      if (typeof node === 'string') return failed(node)
      if (request.watch) watches.add(id, request.path, WATCH.data)
      return { kind: 'getData', response: { data: node.data, stat: node.stat() } }
    }
    case 'getChildren':
    case 'getChildren2': {
      const node = readable(tree.get(request.path), who)
      if (typeof node === 'string') return failed(node)
      if (request.watch) watches.add(id, request.path, WATCH.child)
      const children = [...(node.children ?? [])]
      return request.kind === 'getChildren'
        ? { kind: 'getChildren', response: { children } }
        : { kind: 'getChildren2', response: { children, stat: node.stat() } }
    }
    case 'getACL': {
      const node = readable(tree.get(request.path), who, PERMISSIONS.read | PERMISSIONS.admin)
      if (typeof node === 'string') return failed(node)
      const acl = allows(node.acl, PERMISSIONS.admin, who) ? node.acl : maskedAcl(node.acl)
      return { kind: 'getACL', response: { acl, stat: node.stat() } }
    }
    case 'getAllChildrenNumber': {
      const node = readable(tree.get(request.path), who)
      if (typeof node === 'string') return failed(node)
      return { kind: 'getAllChildrenNumber', response: { totalNumber: descendants(state, request.path) } }
    }
    case 'getEphemerals': {
      const prefix = request.prefixPath.trim()
      const ephemerals = [...tree.ephemeralsOf(connection.session)]
      if (prefix === '' || prefix === '/') return { kind: 'getEphemerals', response: { ephemerals } }
      return { kind: 'getEphemerals', response: { ephemerals: ephemerals.filter((path) => path.startsWith(prefix)) } }
    }
    case 'multiRead':
      return { kind: 'multiRead', response: { results: request.ops.map((op) => readOne(state, who, op)) } }
    case 'whoAmI': {
      const clientInfo = who.map(({ scheme, id: user }) => ({ authScheme: scheme, user: userOf(scheme, user) }))
      return { kind: 'whoAmI', response: { clientInfo } }
    }
    case 'addWatch':
      return addWatch(watches, connection, request)
    case 'checkWatches':
    case 'removeWatches': {
      const modes = modesOf(request.type)
      if (modes === 0) return failed('MarshallingError')
      const act = request.kind === 'checkWatches' ? 'has' : 'remove'
      return watches[act](id, request.path, modes) ? nothing('removeWatches') : failed('NoWatcher')
    }
    case 'reconfig':
      // The autopilot decides who votes, and `keeper.reconfig`; as in a ZooKeeper with its default settings.
      return failed('ReconfigDisabled')
    default:
      return failed('Unimplemented')
  }
}

function readable(
  node: Znode | undefined,
  who: readonly Identity[],
  perms: number = PERMISSIONS.read,
): Znode | 'NoNode' | 'NoAuth' {
  if (node === undefined) return 'NoNode'
  return allows(node.acl, perms, who) ? node : 'NoAuth'
}

function descendants({ tree }: State, path: string): number {
  if (path === '/') return tree.size - 1
  let count = 0
  for (const _ of tree.below(path)) count++
  return count
}

const userOf = (scheme: string, id: string): string => (scheme === 'digest' ? (id.split(':', 1)[0] ?? '') : id)

function readOne({ tree }: State, who: readonly Identity[], op: MultiReadOp): MultiResult {
  const node = readable(tree.get(op.path), who)
  if (typeof node === 'string') return { kind: 'error', err: ERROR_CODES[node] }
  return op.kind === 'getData'
    ? { kind: 'getData', data: node.data, stat: node.stat() }
    : { kind: 'getChildren', children: [...(node.children ?? [])] }
}

function addWatch(watches: Watches, { id }: Connection, { path, mode }: SimpleRequest<'addWatch'>): Answer {
  if (mode !== ADD_WATCH_MODES.persistent && mode !== ADD_WATCH_MODES.persistentRecursive) {
    return failed('MarshallingError')
  }
  watches.add(id, path, mode === ADD_WATCH_MODES.persistent ? WATCH.persistent : WATCH.recursive)
  return nothing('addWatch')
}

function modesOf(type: number): number {
  if (type === WATCHER_TYPES.children) return TABLE.child
  if (type === WATCHER_TYPES.data) return TABLE.data
  return type === WATCHER_TYPES.any ? TABLE.data | TABLE.child : 0
}
