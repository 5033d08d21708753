import { ERROR_CODES } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { TreeTxn, Txn, TxnBody } from '../jute/txns.ts'
import { type Acls, sharedAcl } from './acl.ts'
import { ownerKind } from './owner.ts'
import { parentOf } from './path.ts'
import type { Outcome, Reply } from './replies.ts'
import type { State } from './state.ts'

/** A change that watches can see, in the order in which they must see it. `acl` says who may (READ). */
export interface Change {
  readonly type: 'NodeCreated' | 'NodeDeleted' | 'NodeDataChanged' | 'NodeChildrenChanged'
  readonly path: string
  readonly acl: Acls
}

/** What became of a txn: one outcome, or one for each operation of a `multi`. */
export interface Applied extends Reply {
  readonly changes: readonly Change[]
}

const DONE: Outcome = { kind: 'done' }

/** ZooKeeper: DataTree.processTxn. Never throws on what `prepare` made; what it cannot do has no effect, on no replica. */
export function applyTxn(state: State, zxid: Zxid, txn: Txn): Applied {
  const { seen, session, cxid, body } = txn
  const replies = seen === null ? undefined : state.sessions.replies(session)
  if (seen !== null) replies?.seen(seen)
  if (body.kind === 'again') {
    const reply = replies?.get(cxid)
    // Forgotten: nobody can say any more.
    return reply === undefined ? failure(ERROR_CODES.ConnectionLoss) : { ...reply, changes: [] }
  }
  const applied = takeEffect(state, zxid, txn, body)
  // Not of a session that just ended.
  if (replies !== undefined && state.sessions.get(session) !== undefined) replies.add(cxid, applied)
  return applied
}

function takeEffect(state: State, zxid: Zxid, txn: Txn, body: Exclude<TxnBody, { kind: 'again' }>): Applied {
  const changes: Change[] = []
  const { session } = txn
  if (isOfDeadSession(state, body, session)) return failure(ERROR_CODES.SessionExpired)
  switch (body.kind) {
    case 'error':
      return {
        error: body.code,
        outcomes: body.codes.map((code) => ({ kind: 'error', code })),
        changes,
      }
    case 'multi':
      return success(
        body.ops.map((op) => applyOp(state, zxid, txn.time, op, changes)),
        changes,
      )
    case 'createSession':
      state.sessions.set({
        id: session,
        timeout: body.timeout,
        password: body.password.slice(),
        origin: txn.origin,
        line: body.line,
      })
      state.sessions.begin(session, body.line, zxid)
      return success([DONE], changes)
    case 'moveSession': {
      const known = state.sessions.get(session)
      if (known === undefined) return failure(ERROR_CODES.SessionExpired)
      state.sessions.set({ ...known, timeout: body.timeout, origin: txn.origin, line: body.line })
      if (known.line !== body.line) state.sessions.begin(session, body.line, zxid)
      return success([DONE], changes)
    }
    case 'closeSession':
      // What prepare listed, and whatever else the session may own: nothing outlives its session.
      for (const path of new Set([...body.paths, ...state.tree.ephemeralsOf(session)])) {
        if (state.tree.get(path)?.owner === session) remove(state, path, zxid, changes)
      }
      state.sessions.delete(session)
      return success([DONE], changes)
    default: {
      const outcome = applyOp(state, zxid, txn.time, body, changes)
      return outcome.kind === 'error' ? failure(outcome.code) : success([outcome], changes)
    }
  }
}

const success = (outcomes: readonly Outcome[], changes: readonly Change[]): Applied => ({ error: 0, outcomes, changes })
const failure = (error: number): Applied => ({ error, outcomes: [], changes: [] })
const refused = (code: number): Outcome => ({ kind: 'error', code })

/** An ephemeral must not be born after its session died (ZOOKEEPER-1208). */
function isOfDeadSession(state: State, body: TxnBody, session: SessionId): boolean {
  if (body.kind !== 'create' && body.kind !== 'multi') return false
  const ephemeral = body.kind === 'multi' ? body.ops.some(makesEphemeral) : makesEphemeral(body)
  return ephemeral && state.sessions.get(session) === undefined
}

const makesEphemeral = (op: TreeTxn): boolean => op.kind === 'create' && ownerKind(op.owner) === 'ephemeral'

function applyOp(state: State, zxid: Zxid, time: number, op: TreeTxn, changes: Change[]): Outcome {
  const { tree, quotas } = state
  switch (op.kind) {
    case 'create': {
      const parent = tree.get(parentOf(op.path))
      if (parent === undefined) return refused(ERROR_CODES.NoNode)
      if (tree.get(op.path) !== undefined) return refused(ERROR_CODES.NodeExists)
      const node = tree.create(
        {
          path: op.path,
          data: op.data?.slice() ?? null,
          acl: sharedAcl(op.acl),
          owner: op.owner,
          czxid: zxid,
          mzxid: zxid,
          pzxid: zxid,
          ctime: time,
          mtime: time,
          version: 0,
          creates: 0,
          aversion: 0,
        },
        op.parentCreates,
      )
      quotas.created(op.path, op.data?.length ?? 0)
      changes.push({ type: 'NodeCreated', path: op.path, acl: node.acl })
      changes.push({ type: 'NodeChildrenChanged', path: parent.path, acl: parent.acl })
      return { kind: 'create', path: op.path, stat: node.stat() }
    }
    case 'delete':
      if (tree.get(op.path) === undefined) return refused(ERROR_CODES.NoNode)
      remove(state, op.path, zxid, changes)
      return DONE
    case 'setData': {
      const before = tree.get(op.path)
      if (before === undefined) return refused(ERROR_CODES.NoNode)
      const grown = (op.data?.length ?? 0) - (before.data?.length ?? 0)
      const node = tree.setData(op.path, op.data?.slice() ?? null, op.version, zxid, time)
      quotas.used(op.path, 0, grown)
      changes.push({ type: 'NodeDataChanged', path: op.path, acl: node.acl })
      return { kind: 'stat', stat: node.stat() }
    }
    case 'setACL':
      if (tree.get(op.path) === undefined) return refused(ERROR_CODES.NoNode)
      return { kind: 'stat', stat: tree.setAcl(op.path, sharedAcl(op.acl), op.version).stat() }
    case 'check':
      return DONE
  }
}

function remove(state: State, path: string, zxid: Zxid, changes: Change[]): void {
  const node = state.tree.remove(path, zxid)
  state.quotas.removed(path, node.data?.length ?? 0)
  changes.push({ type: 'NodeDeleted', path, acl: node.acl })
  const parent = parentOf(path)
  changes.push({ type: 'NodeChildrenChanged', path: parent, acl: state.tree.get(parent)?.acl ?? [] })
}
