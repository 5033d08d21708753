import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** One record's layout, for both directions. */
export interface Codec<T> {
  readonly write: (writer: Writer, value: T) => void
  readonly read: (reader: Reader) => T
}

/** ZooKeeper's Stat: 68 bytes. Times are wall-clock milliseconds; `ephemeralOwner` 0n is none. */
export interface StatRecord {
  readonly czxid: Zxid
  readonly mzxid: Zxid
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: SessionId
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: Zxid
}

export const statCodec: Codec<StatRecord> = {
  write: (writer, stat) => {
    writer.long(stat.czxid).long(stat.mzxid).long(stat.ctime).long(stat.mtime)
    writer.int(stat.version).int(stat.cversion).int(stat.aversion).bigLong(stat.ephemeralOwner)
    writer.int(stat.dataLength).int(stat.numChildren).long(stat.pzxid)
  },
  read: (reader) => ({
    czxid: reader.long() as Zxid,
    mzxid: reader.long() as Zxid,
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.bigLong() as SessionId,
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long() as Zxid,
  }),
}

/** ZooKeeper's ACL with its Id; `perms` as in PERMISSIONS. */
export interface AclRecord {
  readonly perms: number
  readonly scheme: string
  readonly id: string
}

const aclEntry: Codec<AclRecord> = {
  write: (writer, acl) => writer.int(acl.perms).string(acl.scheme).string(acl.id),
  // Empty is null for some clients: kazoo's CREATOR_ALL_ACL is `auth` of nobody named.
  read: (reader) => ({ perms: reader.int(), scheme: reader.string() ?? '', id: reader.string() ?? '' }),
}

export const aclCodec: Codec<readonly AclRecord[]> = {
  write: (writer, acl) => writer.vector(acl, aclEntry.write),
  read: (reader) => reader.vector(aclEntry.read, 12),
}

export const stringsCodec: Codec<readonly string[]> = {
  write: (writer, strings) => writer.vector(strings, (to, text) => to.string(text)),
  read: (reader) => reader.vector((from) => from.text(), 4),
}
