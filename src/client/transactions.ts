import { ERROR_CODES, errorName, KeeperError } from '../base/errors.ts'
import type { MultiOp, MultiReadOp, MultiResult } from '../jute/multi.ts'
import { CREATE_FLAGS } from '../jute/opcodes.ts'
import type { CreateMode, CreateOptions, Data, Op, OpResult, ReadOp, ReadOpResult } from './api.ts'
import {
  checkAcl,
  checkCreatePath,
  checkData,
  checkOptions,
  checkPath,
  checkTtl,
  checkVersion,
  EVERYONE,
  hasTtl,
  refuse,
} from './arguments.ts'
import type { Chroot } from './chroot.ts'

type CreateKind = 'create' | 'create2' | 'createContainer' | 'createTTL'

/** The request for a create; `plain` is the opcode for modes that have none of their own. `at` names the place in a multi. */
export function createOp<P extends 'create' | 'create2'>(
  path: string,
  data: Data | undefined,
  options: CreateOptions,
  chroot: Chroot,
  plain: P,
  at = '',
): MultiOp & { readonly kind: P | Exclude<CreateKind, 'create' | 'create2'> } {
  const mode: CreateMode = checkOptions(options).mode ?? 'persistent'
  if (!Object.hasOwn(CREATE_FLAGS, mode)) throw refuse(`${at}mode`, `knows no ${String(mode)}`)
  checkCreatePath(path, mode, `${at}path`)
  const record = {
    path: chroot.absolute(path),
    data: checkData(data ?? null, `${at}data`),
    acl: checkAcl(options.acl ?? EVERYONE, `${at}acl`),
    flags: CREATE_FLAGS[mode],
  }
  const ttl = checkTtl(options.ttl, mode, `${at}ttl`)
  if (hasTtl(mode)) return { kind: 'createTTL', ...record, ttl }
  if (mode === 'container') return { kind: 'createContainer', ...record }
  return { kind: plain, ...record } as MultiOp & { readonly kind: P }
}

export function checkDeletePath(path: unknown, argument = 'path'): asserts path is string {
  checkPath(path, argument)
  if (path === '/') throw refuse(argument, 'the root cannot be deleted')
}

export function multiOps(ops: readonly Op[], chroot: Chroot): MultiOp[] {
  if (!Array.isArray(ops)) throw refuse('ops', 'must be an array')
  return (ops as readonly Op[]).map((op, i) => {
    if (typeof op !== 'object' || op === null) throw refuse(`ops[${i}]`, 'must be an operation')
    const at = `ops[${i}].`
    switch (op.op) {
      case 'create':
        return createOp(op.path, op.data, op, chroot, 'create', at)
      case 'delete':
        checkDeletePath(op.path, `${at}path`)
        return {
          kind: 'delete',
          path: chroot.absolute(op.path),
          version: checkVersion(op.version, `${at}version`),
        }
      case 'setData':
        checkPath(op.path, `${at}path`)
        return {
          kind: 'setData',
          path: chroot.absolute(op.path),
          data: checkData(op.data, `${at}data`),
          version: checkVersion(op.version, `${at}version`),
        }
      case 'check':
        checkPath(op.path, `${at}path`)
        return { kind: 'check', path: chroot.absolute(op.path), version: checkVersion(op.version, `${at}version`) }
      default:
        throw refuse(`${at}op`, `does not go into a multi: ${String((op as { op: unknown }).op)}`)
    }
  })
}

export function multiReadOps(ops: readonly ReadOp[], chroot: Chroot): MultiReadOp[] {
  if (!Array.isArray(ops)) throw refuse('ops', 'must be an array')
  return (ops as readonly ReadOp[]).map((op, i) => {
    if (typeof op !== 'object' || op === null) throw refuse(`ops[${i}]`, 'must be an operation')
    if (op.op !== 'getData' && op.op !== 'getChildren') {
      throw refuse(`ops[${i}].op`, `does not go into a multiRead: ${String((op as { op: unknown }).op)}`)
    }
    checkPath(op.path, `ops[${i}].path`)
    return { kind: op.op, path: chroot.absolute(op.path), watch: false }
  })
}

/** Throws the KeeperError of the operation that failed, with all operations' codes in `results`. */
export function multiResults(results: readonly MultiResult[], paths: readonly string[], chroot: Chroot): OpResult[] {
  const codes = results.map((result) => (result.kind === 'error' ? result.err : 0))
  const failed = codes.findIndex((err) => err !== 0 && err !== ERROR_CODES.RuntimeInconsistency)
  const at = failed === -1 ? codes.findIndex((err) => err !== 0) : failed
  if (at !== -1) {
    throw new KeeperError(errorName(codes[at] as number), undefined, {
      path: paths[at],
      outcome: 'not-applied',
      results: codes.map(errorName),
    })
  }
  return results.map((result) => showResult(result, chroot))
}

function showResult(result: MultiResult, chroot: Chroot): OpResult {
  switch (result.kind) {
    case 'create':
      return { op: 'create', path: chroot.relative(result.path), stat: null }
    case 'create2':
      return { op: 'create', path: chroot.relative(result.path), stat: result.stat }
    case 'setData':
      return { op: 'setData', stat: result.stat }
    case 'delete':
    case 'check':
      return { op: result.kind }
    default:
      throw new KeeperError('MarshallingError', `a ${result.kind} result in the reply to a multi`)
  }
}

export const multiReadResults = (results: readonly MultiResult[]): ReadOpResult[] =>
  results.map((result) => {
    switch (result.kind) {
      case 'getData':
        return { op: 'getData', data: result.data?.slice() ?? null, stat: result.stat }
      case 'getChildren':
        return { op: 'getChildren', children: [...result.children].sort() }
      case 'error':
        return { op: 'error', error: errorName(result.err) }
      default:
        throw new KeeperError('MarshallingError', `a ${result.kind} result in the reply to a multiRead`)
    }
  })
