import type { SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { MultiOp, MultiResult } from '../../../src/jute/multi.ts'
import { ADD_WATCH_MODES, CREATE_FLAGS, WATCHER_TYPES } from '../../../src/jute/opcodes.ts'
import { decodeResponse, type Request } from '../../../src/jute/protocol.ts'
import type { TreeTxn as Change, Txn } from '../../../src/jute/txns.ts'
import { visibleOwner } from '../../../src/tree/owner.ts'
import type { LogBody, LogEntry, Op, Result, TreeOp, TreeTxn } from './types.ts'

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** A request as a history has it; null: one that says nothing about the tree. */
export function operation(request: Request): Op | null {
  switch (request.kind) {
    case 'create':
    case 'create2':
    case 'createContainer':
    case 'createTTL':
    case 'delete':
    case 'setData':
    case 'check':
      return treeOp(request)
    case 'multi':
      return { kind: 'multi', ops: request.ops.map(treeOp) }
    case 'closeSession':
      return { kind: 'close' }
    case 'exists':
    case 'getData':
      return { kind: request.kind, path: request.path, watch: request.watch }
    case 'getChildren':
    case 'getChildren2':
      return { kind: 'getChildren', path: request.path, watch: request.watch }
    case 'getEphemerals':
      return { kind: 'getEphemerals', path: request.prefixPath }
    case 'getAllChildrenNumber':
      return { kind: 'count', path: request.path }
    case 'multiRead':
      return { kind: 'multiRead', ops: request.ops.map(({ kind, path }) => ({ kind, path })) }
    case 'sync':
      return { kind: 'sync' }
    case 'addWatch': {
      const { path, mode } = request
      return { kind: 'addWatch', path, recursive: mode === ADD_WATCH_MODES.persistentRecursive }
    }
    case 'removeWatches': {
      const { path, type } = request
      const of = type === WATCHER_TYPES.any ? 'any' : type === WATCHER_TYPES.data ? 'data' : 'children'
      return { kind: 'removeWatches', path, of }
    }
    case 'setWatches':
    case 'setWatches2':
    case 'resumeWatches':
      return {
        kind: 'setWatches',
        since: request.relativeZxid as Zxid,
        data: request.dataWatches,
        exist: request.existWatches,
        children: request.childWatches,
        persistent: request.kind === 'setWatches' ? [] : request.persistentWatches,
        recursive: request.kind === 'setWatches' ? [] : request.persistentRecursiveWatches,
        resumes: request.kind === 'resumeWatches',
      }
    default:
      return null
  }
}

function treeOp(op: MultiOp): TreeOp {
  switch (op.kind) {
    case 'delete':
    case 'check':
      return { kind: op.kind, path: op.path, version: op.version }
    case 'setData':
      return { kind: 'setData', path: op.path, data: text(op.data), version: op.version }
    default: {
      const { path, data, flags } = op
      const { persistentSequential, ephemeral, ephemeralSequential, persistentSequentialWithTtl } = CREATE_FLAGS
      return {
        kind: 'create',
        path,
        data: text(data),
        sequential: [persistentSequential, ephemeralSequential, persistentSequentialWithTtl].includes(flags as never),
        ephemeral: flags === ephemeral || flags === ephemeralSequential,
      }
    }
  }
}

/** What the reply to this request says. */
export function outcome(request: Request, body: Uint8Array): Result {
  switch (request.kind) {
    case 'create':
      return { path: decodeResponse(body, 'create').path }
    case 'create2':
    case 'createContainer':
    case 'createTTL': {
      const { path, stat } = decodeResponse(body, request.kind)
      return { path, stat }
    }
    case 'setData':
    case 'exists':
      return { stat: decodeResponse(body, request.kind).stat }
    case 'getData': {
      const { data, stat } = decodeResponse(body, 'getData')
      return { data: text(data), stat }
    }
    case 'getChildren':
      return { children: [...decodeResponse(body, 'getChildren').children].sort() }
    case 'getChildren2': {
      const { children, stat } = decodeResponse(body, 'getChildren2')
      return { children: [...children].sort(), stat }
    }
    case 'getEphemerals':
      return { children: [...decodeResponse(body, 'getEphemerals').ephemerals].sort() }
    case 'getAllChildrenNumber':
      return { count: decodeResponse(body, 'getAllChildrenNumber').totalNumber }
    case 'multi':
    case 'multiRead':
      return { results: decodeResponse(body, request.kind).results.map(part) }
    default:
      return {}
  }
}

function part(result: MultiResult): Result {
  switch (result.kind) {
    case 'create':
      return { path: result.path }
    case 'create2':
      return { path: result.path, stat: result.stat }
    case 'setData':
      return { stat: result.stat }
    case 'getData':
      return { data: text(result.data), stat: result.stat }
    case 'getChildren':
      return { children: [...result.children].sort() }
    case 'error':
      return { error: result.err }
    default:
      return {}
  }
}

/** A committed txn as a history has it. */
export function logged({ session, cxid, origin, time, seen, body }: Txn): Omit<LogEntry, 'zxid' | 'at' | 'ms'> {
  return { session, cxid, ...(seen === null ? {} : { numbered: true }), origin, time, body: logBody(body) }
}

function logBody(body: Txn['body']): LogBody {
  switch (body.kind) {
    case 'multi':
      return { kind: 'multi', ops: body.ops.map(change) }
    case 'createSession':
    case 'moveSession':
      return { kind: body.kind, timeout: body.timeout }
    case 'closeSession':
      return { kind: 'closeSession', paths: body.paths }
    case 'error':
      return { kind: 'error', code: body.code, codes: body.codes }
    case 'again':
      return { kind: 'again' }
    default:
      return change(body)
  }
}

function change(txn: Change): TreeTxn {
  switch (txn.kind) {
    case 'create': {
      const { kind, path, data, owner, parentCreates } = txn
      return { kind, path, data: text(data), owner: visibleOwner(owner) as SessionId, parentCreates }
    }
    case 'setData':
      return { kind: 'setData', path: txn.path, data: text(txn.data), version: txn.version }
    case 'setACL':
      return { kind: 'setACL', path: txn.path, version: txn.version }
    default:
      return txn
  }
}
