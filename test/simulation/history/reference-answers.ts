import { ERROR_CODES } from '../../../src/base/errors.ts'
import { NO_SESSION, type SessionId } from '../../../src/base/ids.ts'
import { NO_NODE, nextVersion, parentOf, type ReferenceTree } from './reference-tree.ts'
import type { LogBody, ReadOp, Result, TreeOp, TreeTxn, WriteOp } from './types.ts'

/** What a read must be told in this state. */
export function readAnswer(tree: ReferenceTree, op: ReadOp, session: SessionId): Result {
  switch (op.kind) {
    case 'exists':
    case 'getData':
    case 'getChildren':
      return lookedUp(tree, op.kind, op.path)
    case 'getEphemerals':
      return {
        children: tree.ephemeralsOf(session).filter((path) => op.path === '/' || path.startsWith(op.path)),
      }
    case 'count':
      return tree.has(op.path) ? { count: tree.count(op.path) } : { error: NO_NODE }
    case 'multiRead':
      return { results: op.ops.map(({ kind, path }) => lookedUp(tree, kind, path)) }
    default:
      return {}
  }
}

function lookedUp(tree: ReferenceTree, kind: 'exists' | 'getData' | 'getChildren', path: string): Result {
  const stat = tree.stat(path)
  if (stat === undefined) return { error: NO_NODE }
  if (kind === 'exists') return { stat }
  return kind === 'getData' ? { stat, data: tree.data(path) } : { stat, children: tree.children(path) }
}

/** What a write must become in this state: its txn, and what its client must be told. */
export interface Expected {
  readonly body: LogBody
  readonly result: Result
}

export function writeAnswer(tree: ReferenceTree, op: WriteOp, session: SessionId): Expected {
  if (op.kind === 'close') return { body: { kind: 'closeSession', paths: tree.ephemeralsOf(session) }, result: {} }
  return tree.tentatively(() => {
    if (op.kind === 'multi') return multiAnswer(tree, op.ops, session)
    const done = perform(tree, op, session)
    if (typeof done === 'number')
      return { body: { kind: 'error', code: done, codes: [] } as const, result: { error: done } }
    return { body: done.txn, result: done.result }
  })
}

/** All or nothing: each sees those before it. */
function multiAnswer(tree: ReferenceTree, ops: readonly TreeOp[], session: SessionId): Expected {
  const txns: TreeTxn[] = []
  const results: Result[] = []
  for (const op of ops) {
    const done = perform(tree, op, session)
    if (typeof done === 'number') {
      const later = ERROR_CODES.RuntimeInconsistency
      const codes = ops.map((_, at) => (at < txns.length ? 0 : at === txns.length ? done : later))
      return { body: { kind: 'error', code: done, codes }, result: { results: codes.map((error) => ({ error })) } }
    }
    txns.push(done.txn)
    results.push(done.result)
  }
  return { body: { kind: 'multi', ops: txns }, result: { results } }
}

/** In ZooKeeper's order of checks; the number is an error. */
function perform(
  tree: ReferenceTree,
  op: TreeOp,
  session: SessionId,
): number | { readonly txn: TreeTxn; readonly result: Result } {
  if (op.kind === 'create') {
    const parent = parentOf(op.path)
    const above = tree.stat(parent)
    if (above === undefined) return NO_NODE
    const path = op.sequential ? op.path + String(tree.creates(parent)).padStart(10, '0') : op.path
    if (tree.has(path)) return ERROR_CODES.NodeExists
    if (above.ephemeralOwner !== NO_SESSION) return ERROR_CODES.NoChildrenForEphemerals
    const owner = op.ephemeral ? session : NO_SESSION
    const txn = { kind: 'create', path, data: op.data, owner, parentCreates: tree.creates(parent) + 1 } as const
    tree.applyOp(txn)
    return { txn, result: withStat(tree, path, { path }) }
  }
  if (op.kind === 'delete' && tree.isSpecial(op.path)) return ERROR_CODES.BadArguments
  const stat = tree.stat(op.path)
  if (stat === undefined) return NO_NODE
  if (op.version !== -1 && op.version !== stat.version) return ERROR_CODES.BadVersion
  if (op.kind === 'check') return { txn: { kind: 'check' }, result: {} }
  if (op.kind === 'delete') {
    if (stat.numChildren > 0) return ERROR_CODES.NotEmpty
    const txn = { kind: 'delete', path: op.path } as const
    tree.applyOp(txn)
    return { txn, result: {} }
  }
  const txn = { kind: 'setData', path: op.path, data: op.data, version: nextVersion(stat.version) } as const
  tree.applyOp(txn)
  return { txn, result: withStat(tree, op.path, {}) }
}

function withStat(tree: ReferenceTree, path: string, result: Result): Result {
  const stat = tree.stat(path)
  return stat === undefined ? result : { ...result, stat }
}

/** Does what was told agree with what should have been? Only what it says counts. */
export function agrees(told: Result, expected: Result): boolean {
  if ((told.error ?? 0) !== (expected.error ?? 0)) return false
  if (told.path !== undefined && told.path !== expected.path) return false
  if (told.data !== undefined && told.data !== expected.data) return false
  if (told.count !== undefined && told.count !== expected.count) return false
  if (told.children !== undefined && !sameTexts(told.children, expected.children ?? [])) return false
  for (const [field, value] of Object.entries(told.stat ?? {}))
    if (expected.stat?.[field as keyof typeof expected.stat] !== value) return false
  const { results } = expected
  return (
    told.results === undefined ||
    (results !== undefined &&
      told.results.length === results.length &&
      told.results.every((each, at) => agrees(each, results[at] ?? {})))
  )
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, at) => text === b[at])

/** Two txns that mean the same. The ephemerals of a closing session are another step's concern. */
export function sameBody(a: LogBody, b: LogBody): boolean {
  return a.kind === 'closeSession' && b.kind === 'closeSession' ? true : show(a) === show(b)
}

/** For messages, and to compare. */
export const show = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint'
      ? `${one}n`
      : one !== null && typeof one === 'object' && !Array.isArray(one)
        ? Object.fromEntries(Object.entries(one).sort(([x], [y]) => (x < y ? -1 : 1)))
        : one,
  )
