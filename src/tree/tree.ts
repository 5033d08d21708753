import { assert } from '../base/assert.ts'
import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { type Acls, READ_ACL } from './acl.ts'
import { type Digest, HIGH, LOW } from './digest.ts'
import { Fork } from './fork.ts'
import { ownerKind } from './owner.ts'
import { CONFIG_PATH, joinPath, nameOf, parentOf, QUOTA_PATH } from './path.ts'
import { firstZnode, Znode, type ZnodeFields } from './znode.ts'

const NONE: ReadonlySet<string> = new Set()

/** The znodes, by path, with what is counted about them. Every change keeps the digest. ZooKeeper: DataTree. */
export class ZnodeTree {
  readonly #nodes = new Map<string, Znode>()
  readonly #digest: Digest
  readonly #ephemerals = new Map<bigint, Set<string>>()
  /** Containers and TTL nodes: what the reaper looks at. */
  readonly #reapable = new Set<string>()
  readonly #forks = new Set<Fork>()
  #serial = 0
  #era = 0
  #dataBytes = 0

  constructor(digest: Digest) {
    this.#digest = digest
  }

  /** The nodes of a fresh server. */
  plant(): void {
    for (const path of ['/', '/zookeeper', QUOTA_PATH]) this.restore(firstZnode(path))
    this.restore(firstZnode(CONFIG_PATH, READ_ACL, -1))
    this.linkChildren()
  }

  get size(): number {
    return this.#nodes.size
  }

  get dataBytes(): number {
    return this.#dataBytes
  }

  get(path: string): Znode | undefined {
    return this.#nodes.get(path)
  }

  ephemeralsOf(session: SessionId): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? NONE
  }

  get reapable(): ReadonlySet<string> {
    return this.#reapable
  }

  /** The parent must be there and the path not. */
  create(fields: ZnodeFields, parentCreates: number): Znode {
    const node = this.restore(fields)
    const parent = this.#change(parentOf(fields.path))
    parent.creates = parentCreates
    parent.pzxid = fields.czxid
    parent.children ??= new Set()
    parent.children.add(nameOf(fields.path))
    this.#changed(parent)
    return node
  }

  remove(path: string, zxid: Zxid): Znode {
    const node = this.#nodes.get(path)
    assert(node !== undefined, 'a missing node is removed')
    for (const fork of this.#forks) fork.displace(node)
    this.#weigh(node, false)
    this.#nodes.delete(path)
    this.#dataBytes -= node.data?.length ?? 0
    this.#reapable.delete(path)
    const ephemerals = this.#ephemerals.get(node.owner)
    if (ephemerals?.delete(path) && ephemerals.size === 0) this.#ephemerals.delete(node.owner)
    const parent = this.#change(parentOf(path))
    parent.pzxid = zxid
    parent.children?.delete(nameOf(path))
    this.#changed(parent)
    return node
  }

  setData(path: string, data: Uint8Array | null, version: number, zxid: Zxid, time: number): Znode {
    const node = this.#change(path)
    node.version = version
    node.mzxid = zxid
    node.mtime = time
    return this.#replaceData(node, data)
  }

  /** Without a trace in the stat: statistics of quotas. */
  fill(path: string, data: Uint8Array): void {
    this.#replaceData(this.#change(path), data)
  }

  #replaceData(node: Znode, data: Uint8Array | null): Znode {
    this.#dataBytes += (data?.length ?? 0) - (node.data?.length ?? 0)
    node.data = data
    node.hashData()
    return this.#changed(node)
  }

  setAcl(path: string, acl: Acls, aversion: number): Znode {
    const node = this.#change(path)
    node.acl = acl
    node.aversion = aversion
    node.hashRoot()
    return this.#changed(node)
  }

  /** The nodes as they are now, to be drawn at leisure. Who does not draw to the end must `end()` it. */
  fork(): Fork {
    const fork = new Fork(this.#nodes.values(), this.#era++, this.#serial, (ended) => this.#forks.delete(ended))
    this.#forks.add(fork)
    return fork
  }

  /** One node of a snapshot, its children apart. */
  restore(fields: ZnodeFields): Znode {
    assert(!this.#nodes.has(fields.path), 'a node is created twice')
    const node = new Znode(fields, ++this.#serial, this.#era)
    node.hashRoot()
    this.#nodes.set(node.path, node)
    this.#weigh(node, true)
    this.#dataBytes += node.data?.length ?? 0
    this.#index(node)
    return node
  }

  #index({ owner, path }: Znode): void {
    const kind = ownerKind(owner)
    if (kind === 'container' || kind === 'ttl') this.#reapable.add(path)
    if (kind !== 'ephemeral') return
    const paths = this.#ephemerals.get(owner)
    if (paths === undefined) this.#ephemerals.set(owner, new Set([path]))
    else paths.add(path)
  }

  /** After all nodes of a snapshot: who is whose child. False: a node has no parent. */
  linkChildren(): boolean {
    for (const { path } of this.#nodes.values()) {
      if (path === '/') continue
      const parent = this.#nodes.get(parentOf(path))
      if (parent === undefined) return false
      parent.children ??= new Set()
      parent.children.add(nameOf(path))
    }
    return this.#nodes.has('/')
  }

  /** All paths below, not counting itself. */
  *below(path: string): Generator<Znode> {
    const stack = [path]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const name of this.#nodes.get(at)?.children ?? []) {
        const child = this.#nodes.get(joinPath(at, name))
        assert(child !== undefined, 'a child is missing')
        yield child
        if (child.children !== null) stack.push(child.path)
      }
    }
  }

  /** The version that may be changed; the digest misses it until `#changed`. */
  #change(path: string): Znode {
    const node = this.#nodes.get(path)
    assert(node !== undefined, 'a missing node is changed')
    this.#weigh(node, false)
    if (node.era === this.#era) return node
    for (const fork of this.#forks) fork.displace(node)
    const next = node.successor(this.#era)
    this.#nodes.set(path, next)
    return next
  }

  #changed(node: Znode): Znode {
    this.#weigh(node, true)
    return node
  }

  #weigh(node: Znode, present: boolean): void {
    const high = node.hash(HIGH) ^ node.contentHigh
    const low = node.hash(LOW) ^ node.contentLow
    if (present) this.#digest.add(high, low)
    else this.#digest.remove(high, low)
  }
}
