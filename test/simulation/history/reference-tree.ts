import { ERROR_CODES } from '../../../src/base/errors.ts'
import { NO_SESSION, type SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { WatchEventType } from '../../../src/client/api.ts'
import type { StatRecord } from '../../../src/jute/records.ts'
import { demand } from './step.ts'
import type { LogEntry, TreeTxn } from './types.ts'

/** What watches can see. */
export interface TreeChange {
  readonly type: WatchEventType
  readonly path: string
}

interface RefNode {
  readonly czxid: Zxid
  readonly ctime: number
  readonly owner: SessionId
  data: string | null
  mzxid: Zxid
  pzxid: Zxid
  mtime: number
  version: number
  aversion: number
  /** Children ever created. */
  creates: number
  readonly children: Set<string>
}

export const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** ZooKeeper's tree and session table, told as plainly as possible: what the log means. It shares no code with the product. */
export class ReferenceTree {
  readonly #nodes = new Map<string, RefNode>()
  readonly #ephemerals = new Map<SessionId, Set<string>>()
  /** Live sessions, and the connection that each answers to. */
  readonly sessions = new Map<SessionId, { readonly origin: number; readonly timeout: number }>()
  zxid = 0 as Zxid
  #time = 0
  #undo: (() => void)[] | null = null

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      this.#nodes.set(path, fresh(0 as Zxid, 0, '', NO_SESSION))
      if (path !== '/') this.#nodes.get(parentOf(path))?.children.add(nameOf(path))
    }
    const config = this.#nodes.get('/zookeeper/config')
    if (config !== undefined) config.aversion = -1
  }

  get size(): number {
    return this.#nodes.size
  }

  has(path: string): boolean {
    return this.#nodes.has(path)
  }

  data(path: string): string | null {
    return this.#nodes.get(path)?.data ?? null
  }

  creates(path: string): number {
    return this.#nodes.get(path)?.creates ?? 0
  }

  children(path: string): string[] {
    return [...(this.#nodes.get(path)?.children ?? [])].sort()
  }

  isSpecial(path: string): boolean {
    return path === '/' || path === '/zookeeper' || path === '/zookeeper/quota' || path === '/zookeeper/config'
  }

  ephemeralsOf(session: SessionId): string[] {
    return [...(this.#ephemerals.get(session) ?? [])].sort()
  }

  /** Nodes strictly below. */
  count(path: string): number {
    const node = this.#nodes.get(path)
    if (node === undefined) return 0
    let sum = 0
    for (const name of node.children) sum += 1 + this.count(path === '/' ? `/${name}` : `${path}/${name}`)
    return sum
  }

  /** undefined: no such node. */
  stat(path: string): StatRecord | undefined {
    const node = this.#nodes.get(path)
    if (node === undefined) return undefined
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.pzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      // Every creation and every deletion of a child counts.
      cversion: 2 * node.creates - node.children.size,
      aversion: node.aversion,
      ephemeralOwner: node.owner,
      dataLength: node.data?.length ?? 0,
      numChildren: node.children.size,
    }
  }

  /** What stands in the log happens; refuses what cannot. */
  apply(entry: LogEntry): TreeChange[] {
    const { body, session, zxid } = entry
    this.at(zxid, entry.time)
    switch (body.kind) {
      case 'error':
      case 'again':
        return []
      case 'createSession':
        this.sessions.set(session, { origin: entry.origin, timeout: body.timeout })
        return []
      case 'moveSession':
        if (this.sessions.has(session)) this.sessions.set(session, { origin: entry.origin, timeout: body.timeout })
        return []
      case 'closeSession':
        this.sessions.delete(session)
        return body.paths.flatMap((path) => this.applyOp({ kind: 'delete', path }))
      case 'multi':
        return body.ops.flatMap((op) => this.applyOp(op))
      case 'config': {
        const config = this.#nodes.get('/zookeeper/config')
        if (config === undefined || body.text === '') return []
        config.data = body.text
        config.version++
        config.mzxid = zxid
        return [{ type: 'NodeDataChanged', path: '/zookeeper/config' }]
      }
      default:
        return this.applyOp(body)
    }
  }

  /** The moment of what is done next. */
  at(zxid: Zxid, time: number): void {
    this.zxid = zxid
    this.#time = time
  }

  /** Whatever `what` does to the tree is taken back. */
  tentatively<T>(what: () => T): T {
    const undo: (() => void)[] = []
    this.#undo = undo
    try {
      return what()
    } finally {
      this.#undo = null
      for (const back of undo.reverse()) back()
    }
  }

  applyOp(op: TreeTxn): TreeChange[] {
    switch (op.kind) {
      case 'create':
        return this.#create(op.path, op.data, op.owner, op.parentCreates)
      case 'delete':
        return this.#remove(op.path)
      case 'setData': {
        const node = this.#existing(op.path)
        demand(
          op.version === nextVersion(node.version),
          () => `${op.path} goes from version ${node.version} to ${op.version}`,
        )
        this.#put(op.path, { ...node, data: op.data, version: op.version, mzxid: this.zxid, mtime: this.#time })
        return [{ type: 'NodeDataChanged', path: op.path }]
      }
      case 'setACL': {
        const node = this.#existing(op.path)
        this.#put(op.path, { ...node, aversion: op.version })
        return []
      }
      case 'check':
        return []
    }
  }

  #existing(path: string): RefNode {
    const node = this.#nodes.get(path)
    demand(node !== undefined, () => `${path} is changed and is not there`)
    return node
  }

  #put(path: string, node: RefNode): void {
    const before = this.#nodes.get(path)
    this.#undo?.push(() => {
      if (before === undefined) this.#nodes.delete(path)
      else this.#nodes.set(path, before)
    })
    this.#nodes.set(path, node)
  }

  #create(path: string, data: string | null, owner: SessionId, parentCreates: number): TreeChange[] {
    const parentPath = parentOf(path)
    const parent = this.#existing(parentPath)
    demand(!this.#nodes.has(path), () => `${path} is created and is there already`)
    demand(parent.owner === NO_SESSION, () => `${path} is created below an ephemeral`)
    demand(
      parentCreates === parent.creates + 1,
      () => `${path} is child ${parentCreates} of ${parent.creates + 1} ever`,
    )
    this.#put(path, fresh(this.zxid, this.#time, data, owner))
    this.#put(parentPath, { ...parent, creates: parentCreates, pzxid: this.zxid })
    this.#link(path, owner, true)
    return [
      { type: 'NodeCreated', path },
      { type: 'NodeChildrenChanged', path: parentPath },
    ]
  }

  #remove(path: string): TreeChange[] {
    const node = this.#existing(path)
    demand(node.children.size === 0 && !this.isSpecial(path), () => `${path} is deleted with its children`)
    const parentPath = parentOf(path)
    const parent = this.#existing(parentPath)
    this.#undo?.push(() => this.#nodes.set(path, node))
    this.#nodes.delete(path)
    this.#put(parentPath, { ...parent, pzxid: this.zxid })
    this.#link(path, node.owner, false)
    return [
      { type: 'NodeDeleted', path },
      { type: 'NodeChildrenChanged', path: parentPath },
    ]
  }

  /** Its place among its parent's children and its session's ephemerals. */
  #link(path: string, owner: SessionId, present: boolean): void {
    this.#undo?.push(() => this.#link(path, owner, !present))
    const children = this.#nodes.get(parentOf(path))?.children
    if (present) children?.add(nameOf(path))
    else children?.delete(nameOf(path))
    if (owner === NO_SESSION) return
    const owned = this.#ephemerals.get(owner) ?? new Set()
    if (present) this.#ephemerals.set(owner, owned.add(path))
    else owned.delete(path)
  }
}

/** −1 means any version, so it is never one. */
export const nextVersion = (version: number): number => (version === -2 ? 0 : version + 1)

export const NO_NODE = ERROR_CODES.NoNode

const fresh = (zxid: Zxid, time: number, data: string | null, owner: SessionId): RefNode => ({
  czxid: zxid,
  mzxid: zxid,
  pzxid: zxid,
  ctime: time,
  mtime: time,
  data,
  owner,
  version: 0,
  aversion: 0,
  creates: 0,
  children: new Set(),
})
