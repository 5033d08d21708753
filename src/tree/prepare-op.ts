import { ERROR_CODES, type ErrorCode } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { MultiOp } from '../jute/multi.ts'
import { CREATE_FLAGS, PERMISSIONS } from '../jute/opcodes.ts'
import type { SimpleRequest } from '../jute/requests.ts'
import type { TreeTxn } from '../jute/txns.ts'
import { type Acls, allows, fixedAcl, type Identity } from './acl.ts'
import type { Draft, Overlay } from './overlay.ts'
import { CONTAINER, isTtl, ownerKind, PERSISTENT, ttlOwner } from './owner.ts'
import { isSpecialPath, isValidPath, parentOf, sequenceSuffix } from './path.ts'
import type { State } from './state.ts'

/** A request that cannot become a change; the answer is its code. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: number

  constructor(code: keyof typeof ERROR_CODES & ErrorCode) {
    super(code)
    this.code = ERROR_CODES[code]
  }
}

export type TreeRequest = MultiOp | SimpleRequest<'setACL'>

/** How this replica reads requests; all replicas of an ensemble should agree, but only the leader's counts. */
export interface PrepareOptions {
  /** TTL nodes are allowed (ZooKeeper's `extendedTypesEnabled`). */
  readonly extendedTypes: boolean
  readonly enforceQuota: boolean
}

/** Who asks for what, under which zxid. */
export interface Asking {
  readonly state: State
  readonly overlay: Overlay
  readonly options: PrepareOptions
  readonly zxid: Zxid
  readonly session: SessionId
  readonly who: readonly Identity[]
}

/** Checks one operation in ZooKeeper's order and notes its effect in the overlay. Throws Refusal. ZooKeeper: pRequest2Txn. */
export function prepareOp(asking: Asking, op: TreeRequest): TreeTxn {
  switch (op.kind) {
    case 'create':
    case 'create2':
    case 'createContainer':
    case 'createTTL':
      return create(asking, op)
    case 'delete':
      return remove(asking, op.path, op.version)
    case 'setData': {
      const { overlay, state, options, zxid } = asking
      const node = existing(asking, op.path)
      permit(asking, node.acl, PERMISSIONS.write)
      const grown = (op.data?.length ?? 0) - (state.tree.get(op.path)?.data?.length ?? 0)
      if (options.enforceQuota && state.quotas.exceeded(op.path, 0, grown)) throw new Refusal('QuotaExceeded')
      const version = nextVersion(node.version, op.version)
      overlay.setNode(zxid, op.path, { ...node, version, mzxid: zxid })
      return { kind: 'setData', path: op.path, data: op.data, version }
    }
    case 'setACL': {
      if (!isValidPath(op.path)) throw new Refusal('BadArguments')
      const acl = validAcl(asking, op.acl)
      const node = existing(asking, op.path)
      permit(asking, node.acl, PERMISSIONS.admin)
      const version = nextVersion(node.aversion, op.version)
      asking.overlay.setNode(asking.zxid, op.path, { ...node, acl, aversion: version })
      return { kind: 'setACL', path: op.path, acl, version }
    }
    case 'check': {
      const node = existing(asking, op.path)
      permit(asking, node.acl, PERMISSIONS.read)
      nextVersion(node.version, op.version)
      return { kind: 'check' }
    }
  }
}

function existing({ overlay }: Asking, path: string): Draft {
  if (!isValidPath(path)) throw new Refusal('BadArguments')
  const node = overlay.node(path)
  if (node === undefined) throw new Refusal('NoNode')
  return node
}

function permit({ who }: Asking, acl: Acls, perms: number): void {
  if (!allows(acl, perms, who)) throw new Refusal('NoAuth')
}

function validAcl({ who }: Asking, acl: Acls): Acls {
  const fixed = fixedAcl(acl, who)
  if (fixed === null) throw new Refusal('InvalidACL')
  return fixed
}

/** The version after `current`; −1 means "any", so it is never one (ZOOKEEPER-4743). */
function nextVersion(current: number, expected: number): number {
  if (expected !== -1 && expected !== current) throw new Refusal('BadVersion')
  const next = (current + 1) | 0
  return next === -1 ? 0 : next
}

type Create = SimpleRequest<'create' | 'create2' | 'createContainer' | 'createTTL'>

function create(asking: Asking, op: Create): TreeTxn {
  const { overlay, state, options, zxid } = asking
  const { sequential, owner } = createMode(asking, op)
  if (!isValidPath(sequential ? `${op.path}1` : op.path)) throw new Refusal('BadArguments')
  const acl = validAcl(asking, op.acl)
  const parentPath = parentOf(op.path)
  const parent = existing(asking, parentPath)
  permit(asking, parent.acl, PERMISSIONS.create)
  const path = sequential ? op.path + sequenceSuffix(parent.creates) : op.path
  if (!isValidPath(path)) throw new Refusal('BadArguments')
  if (overlay.node(path) !== undefined) throw new Refusal('NodeExists')
  if (ownerKind(parent.owner) === 'ephemeral') throw new Refusal('NoChildrenForEphemerals')
  if (options.enforceQuota && state.quotas.exceeded(path, 1, op.data?.length ?? 0)) throw new Refusal('QuotaExceeded')
  const parentCreates = (parent.creates + 1) | 0
  overlay.setNode(zxid, parentPath, { ...parent, creates: parentCreates, numChildren: parent.numChildren + 1 })
  const counts = { version: 0, creates: 0, aversion: 0, numChildren: 0 }
  overlay.setNode(zxid, path, { exists: true, ...counts, acl, owner, czxid: zxid, mzxid: zxid })
  return { kind: 'create', path, data: op.data, acl, owner, parentCreates }
}

function createMode(
  { session, options }: Asking,
  op: Create,
): { readonly sequential: boolean; readonly owner: bigint } {
  const withTtl = op.flags === CREATE_FLAGS.persistentWithTtl || op.flags === CREATE_FLAGS.persistentSequentialWithTtl
  // ZooKeeper: EphemeralType.validateTTL.
  if (op.kind === 'createTTL' && !withTtl && op.ttl >= 0) throw new Refusal('BadArguments')
  switch (op.flags) {
    case CREATE_FLAGS.persistent:
    case CREATE_FLAGS.persistentSequential:
      return { sequential: op.flags === CREATE_FLAGS.persistentSequential, owner: PERSISTENT }
    case CREATE_FLAGS.ephemeral:
    case CREATE_FLAGS.ephemeralSequential:
      return { sequential: op.flags === CREATE_FLAGS.ephemeralSequential, owner: session }
    case CREATE_FLAGS.container:
      return { sequential: false, owner: CONTAINER }
    case CREATE_FLAGS.persistentWithTtl:
    case CREATE_FLAGS.persistentSequentialWithTtl: {
      if (!options.extendedTypes) throw new Refusal('Unimplemented')
      if (op.kind !== 'createTTL' || !isTtl(op.ttl)) throw new Refusal('BadArguments')
      return { sequential: op.flags === CREATE_FLAGS.persistentSequentialWithTtl, owner: ttlOwner(op.ttl) }
    }
    default:
      throw new Refusal('BadArguments')
  }
}

function remove(asking: Asking, path: string, version: number): TreeTxn {
  if (isSpecialPath(path) || !isValidPath(path)) throw new Refusal('BadArguments')
  const parent = existing(asking, parentOf(path))
  permit(asking, parent.acl, PERMISSIONS.delete)
  const node = existing(asking, path)
  nextVersion(node.version, version)
  if (node.numChildren > 0) throw new Refusal('NotEmpty')
  noteRemoval(asking.overlay, asking.zxid, path)
  return { kind: 'delete', path }
}

/** The node will be gone, and its parent have one child less. */
export function noteRemoval(overlay: Overlay, zxid: Zxid, path: string): void {
  const node = overlay.node(path)
  const parent = overlay.node(parentOf(path))
  if (node === undefined || parent === undefined) return
  overlay.setNode(zxid, path, { ...node, exists: false })
  overlay.setNode(zxid, parentOf(path), { ...parent, numChildren: parent.numChildren - 1 })
}
