import type { Zxid } from '../base/zxid.ts'
import type { StatRecord } from '../jute/records.ts'
import { type Acls, OPEN_ACL } from './acl.ts'
import { finish, HIGH, LOW, mix, mixBig, mixBytes, mixText, mixWide } from './digest.ts'
import { PERSISTENT, visibleOwner } from './owner.ts'

/** What of a node outlives it: in snapshots and digests. */
export interface ZnodeFields {
  readonly path: string
  readonly data: Uint8Array | null
  readonly acl: Acls
  /** See owner.ts. */
  readonly owner: bigint
  readonly czxid: Zxid
  readonly mzxid: Zxid
  readonly pzxid: Zxid
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  /** How many children it has ever seen created: ZooKeeper's stored cversion. The visible one counts deletes too. */
  readonly creates: number
  readonly aversion: number
}

/** One version of a node. Only ZnodeTree changes it, and only while no snapshot can see it. */
export class Znode implements ZnodeFields {
  readonly path: string
  data: Uint8Array | null
  acl: Acls
  readonly owner: bigint
  readonly czxid: Zxid
  mzxid: Zxid
  pzxid: Zxid
  readonly ctime: number
  mtime: number
  version: number
  creates: number
  aversion: number
  /** Names. Shared by all versions of the node; the present one's truth. */
  children: Set<string> | null = null
  /** Its place in the order of creation: the tree is walked in this order. */
  readonly serial: number
  /** How many snapshots had been begun when this version was made. */
  readonly era: number
  /** Hash of what seldom changes: path, acl, owner and creation. */
  #rootHigh = 0
  #rootLow = 0
  /** Hash of that and the data. */
  contentHigh = 0
  contentLow = 0

  constructor(fields: ZnodeFields, serial: number, era: number) {
    this.path = fields.path
    this.data = fields.data
    this.acl = fields.acl
    this.owner = fields.owner
    this.czxid = fields.czxid
    this.mzxid = fields.mzxid
    this.pzxid = fields.pzxid
    this.ctime = fields.ctime
    this.mtime = fields.mtime
    this.version = fields.version
    this.creates = fields.creates
    this.aversion = fields.aversion
    this.serial = serial
    this.era = era
  }

  /** The version that a later era may change. */
  successor(era: number): Znode {
    const next = new Znode(this, this.serial, era)
    next.children = this.children
    next.#rootHigh = this.#rootHigh
    next.#rootLow = this.#rootLow
    next.contentHigh = this.contentHigh
    next.contentLow = this.contentLow
    return next
  }

  /** All but the data is new. */
  hashRoot(): void {
    this.#rootHigh = rootHash(HIGH, this)
    this.#rootLow = rootHash(LOW, this)
    this.hashData()
  }

  hashData(): void {
    this.contentHigh = finish(mixBytes(this.#rootHigh, this.data))
    this.contentLow = finish(mixBytes(this.#rootLow, this.data))
  }

  hash(lane: number): number {
    let h = mix(lane, this.version)
    h = mix(mix(h, this.creates), this.aversion)
    return finish(mixWide(mixWide(mixWide(h, this.mzxid), this.pzxid), this.mtime))
  }

  get numChildren(): number {
    return this.children?.size ?? 0
  }

  stat(): StatRecord {
    return {
      czxid: this.czxid,
      mzxid: this.mzxid,
      pzxid: this.pzxid,
      ctime: this.ctime,
      mtime: this.mtime,
      version: this.version,
      cversion: 2 * this.creates - this.numChildren,
      aversion: this.aversion,
      ephemeralOwner: visibleOwner(this.owner),
      dataLength: this.data?.length ?? 0,
      numChildren: this.numChildren,
    }
  }
}

function rootHash(seed: number, node: ZnodeFields): number {
  let h = mixText(seed, node.path)
  for (const entry of node.acl) h = mix(mixText(mixText(h, entry.scheme), entry.id), entry.perms)
  return mixWide(mixWide(mixBig(h, node.owner), node.czxid), node.ctime)
}

/** A node of a fresh tree: without zxid and time. */
export const firstZnode = (path: string, acl: Acls = OPEN_ACL, aversion = 0): ZnodeFields => ({
  path,
  data: new Uint8Array(0),
  acl,
  owner: PERSISTENT,
  czxid: 0 as Zxid,
  mzxid: 0 as Zxid,
  pzxid: 0 as Zxid,
  ctime: 0,
  mtime: 0,
  version: 0,
  creates: 0,
  aversion,
})
