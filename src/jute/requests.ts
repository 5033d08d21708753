import { OPCODES } from './opcodes.ts'
import type { Reader } from './reader.ts'
import { type AclRecord, aclCodec, type Codec, stringsCodec } from './records.ts'
import type { Writer } from './writer.ts'

interface Create {
  readonly path: string
  readonly data: Uint8Array | null
  readonly acl: readonly AclRecord[]
  /** As in CREATE_FLAGS, or anything. */
  readonly flags: number
}
interface PathOnly {
  readonly path: string
}
interface WatchedRead extends PathOnly {
  readonly watch: boolean
}
interface Versioned extends PathOnly {
  readonly version: number
}
interface TypedPath extends PathOnly {
  /** As in WATCHER_TYPES, or anything. */
  readonly type: number
}
interface SetData extends Versioned {
  readonly data: Uint8Array | null
}
interface SetWatches {
  readonly relativeZxid: number
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
}
type Bare = Record<never, never>

/** Operations that a `multi` may hold. */
export interface MultiRecords {
  readonly create: Create
  readonly create2: Create
  readonly createContainer: Create
  /** `ttl` in milliseconds, perhaps out of range. */
  readonly createTTL: Create & { readonly ttl: number }
  readonly delete: Versioned
  readonly setData: SetData
  readonly check: Versioned
}

/** Operations that a `multiRead` may hold. */
export interface MultiReadRecords {
  readonly getData: WatchedRead
  readonly getChildren: WatchedRead
}

/** Of each request type: the record behind its header. */
export interface SimpleRecords extends MultiRecords, MultiReadRecords {
  readonly exists: WatchedRead
  readonly getACL: PathOnly
  readonly setACL: Versioned & { readonly acl: readonly AclRecord[] }
  readonly sync: PathOnly
  readonly ping: Bare
  readonly getChildren2: WatchedRead
  readonly reconfig: {
    readonly joiningServers: string | null
    readonly leavingServers: string | null
    readonly newMembers: string | null
    readonly curConfigId: bigint
  }
  readonly checkWatches: TypedPath
  readonly removeWatches: TypedPath
  readonly deleteContainer: PathOnly
  readonly auth: { readonly type: number; readonly scheme: string; readonly auth: Uint8Array | null }
  readonly setWatches: SetWatches
  readonly setWatches2: SetWatches & {
    readonly persistentWatches: readonly string[]
    readonly persistentRecursiveWatches: readonly string[]
  }
  readonly getEphemerals: { readonly prefixPath: string }
  readonly getAllChildrenNumber: PathOnly
  /** `mode` as in ADD_WATCH_MODES, or anything. */
  readonly addWatch: PathOnly & { readonly mode: number }
  readonly whoAmI: Bare
  readonly closeSession: Bare
  /** The highest number of this line whose reply was read, and with it all before. Has no reply. */
  readonly acknowledge: { readonly seen: number }
  /** As setWatches2, from the log: all packets together, once the `last` one is there. */
  readonly resumeWatches: SimpleRecords['setWatches2'] & { readonly last: boolean }
}

export type SimpleKind = keyof SimpleRecords
export type SimpleRequest<K extends SimpleKind = SimpleKind> = { [P in K]: { readonly kind: P } & SimpleRecords[P] }[K]

const create: Codec<Create> = {
  write: (writer, r) => {
    writer.string(r.path).buffer(r.data)
    aclCodec.write(writer, r.acl)
    writer.int(r.flags)
  },
  read: (reader) => ({ path: reader.text(), data: reader.buffer(), acl: aclCodec.read(reader), flags: reader.int() }),
}
const pathOnly: Codec<PathOnly> = {
  write: (writer, r) => writer.string(r.path),
  read: (reader) => ({ path: reader.text() }),
}
const watched: Codec<WatchedRead> = {
  write: (writer, r) => writer.string(r.path).bool(r.watch),
  read: (reader) => ({ path: reader.text(), watch: reader.bool() }),
}
const versioned: Codec<Versioned> = {
  write: (writer, r) => writer.string(r.path).int(r.version),
  read: (reader) => ({ path: reader.text(), version: reader.int() }),
}
const typedPath: Codec<TypedPath> = {
  write: (writer, r) => writer.string(r.path).int(r.type),
  read: (reader) => ({ path: reader.text(), type: reader.int() }),
}
const bare: Codec<Bare> = { write: () => undefined, read: () => ({}) }
const setWatches: Codec<SetWatches> = {
  write: (writer, r) => {
    writer.long(r.relativeZxid)
    for (const paths of [r.dataWatches, r.existWatches, r.childWatches]) stringsCodec.write(writer, paths)
  },
  read: (reader) => ({
    relativeZxid: reader.long(),
    dataWatches: stringsCodec.read(reader),
    existWatches: stringsCodec.read(reader),
    childWatches: stringsCodec.read(reader),
  }),
}

const setWatches2: Codec<SimpleRecords['setWatches2']> = {
  write: (writer, r) => {
    setWatches.write(writer, r)
    for (const paths of [r.persistentWatches, r.persistentRecursiveWatches]) stringsCodec.write(writer, paths)
  },
  read: (reader) => ({
    ...setWatches.read(reader),
    persistentWatches: stringsCodec.read(reader),
    persistentRecursiveWatches: stringsCodec.read(reader),
  }),
}

const CODECS: { readonly [K in SimpleKind]: Codec<SimpleRecords[K]> } = {
  create,
  create2: create,
  createContainer: create,
  createTTL: {
    write: (writer, r) => {
      create.write(writer, r)
      writer.bigLong(BigInt(r.ttl))
    },
    read: (reader) => ({ ...create.read(reader), ttl: Number(reader.bigLong()) }),
  },
  delete: versioned,
  exists: watched,
  getData: watched,
  setData: {
    write: (writer, r) => writer.string(r.path).buffer(r.data).int(r.version),
    read: (reader) => ({ path: reader.text(), data: reader.buffer(), version: reader.int() }),
  },
  getACL: pathOnly,
  setACL: {
    write: (writer, r) => {
      writer.string(r.path)
      aclCodec.write(writer, r.acl)
      writer.int(r.version)
    },
    read: (reader) => ({ path: reader.text(), acl: aclCodec.read(reader), version: reader.int() }),
  },
  getChildren: watched,
  sync: pathOnly,
  ping: bare,
  getChildren2: watched,
  check: versioned,
  reconfig: {
    write: (writer, r) =>
      writer.string(r.joiningServers).string(r.leavingServers).string(r.newMembers).bigLong(r.curConfigId),
    read: (reader) => ({
      joiningServers: reader.string(),
      leavingServers: reader.string(),
      newMembers: reader.string(),
      curConfigId: reader.bigLong(),
    }),
  },
  checkWatches: typedPath,
  removeWatches: typedPath,
  deleteContainer: pathOnly,
  auth: {
    write: (writer, r) => writer.int(r.type).string(r.scheme).buffer(r.auth),
    read: (reader) => ({ type: reader.int(), scheme: reader.string() ?? '', auth: reader.buffer() }),
  },
  setWatches,
  setWatches2,
  getEphemerals: {
    write: (writer, r) => writer.string(r.prefixPath),
    read: (reader) => ({ prefixPath: reader.string() ?? '' }),
  },
  getAllChildrenNumber: pathOnly,
  addWatch: {
    write: (writer, r) => writer.string(r.path).int(r.mode),
    read: (reader) => ({ path: reader.text(), mode: reader.int() }),
  },
  whoAmI: bare,
  closeSession: bare,
  acknowledge: {
    write: (writer, r) => writer.int(r.seen),
    read: (reader) => ({ seen: reader.int() }),
  },
  resumeWatches: {
    write: (writer, r) => {
      setWatches2.write(writer, r)
      writer.bool(r.last)
    },
    read: (reader) => ({ ...setWatches2.read(reader), last: reader.bool() }),
  },
}

/** The record alone, without a header. */
export function writeSimple<K extends SimpleKind>(writer: Writer, kind: K, record: SimpleRecords[K]): void {
  CODECS[kind].write(writer, record)
}

export function readSimple<K extends SimpleKind>(reader: Reader, kind: K): SimpleRequest<K> {
  return { kind, ...CODECS[kind].read(reader) } as unknown as SimpleRequest<K>
}

const KINDS = new Map<number, SimpleKind>((Object.keys(CODECS) as SimpleKind[]).map((kind) => [OPCODES[kind], kind]))

/** The kind of an opcode, if it is one with a plain record (`multi` and `multiRead` are not). */
export const simpleKind = (type: number): SimpleKind | undefined => KINDS.get(type)
