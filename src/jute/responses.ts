import { type MultiResult, readResults, writeResults } from './multi.ts'
import type { Reader } from './reader.ts'
import { type AclRecord, aclCodec, type Codec, type StatRecord, statCodec, stringsCodec } from './records.ts'
import type { Writer } from './writer.ts'

interface PathResponse {
  readonly path: string
}
interface StatResponse {
  readonly stat: StatRecord
}
type Nothing = Record<never, never>

/** Of each request kind: the record behind a reply header without error. */
export interface Responses {
  readonly create: PathResponse
  readonly create2: PathResponse & StatResponse
  readonly createContainer: PathResponse & StatResponse
  readonly createTTL: PathResponse & StatResponse
  readonly delete: Nothing
  readonly exists: StatResponse
  readonly getData: StatResponse & { readonly data: Uint8Array | null }
  readonly setData: StatResponse
  readonly getACL: StatResponse & { readonly acl: readonly AclRecord[] }
  readonly setACL: StatResponse
  readonly getChildren: { readonly children: readonly string[] }
  readonly sync: PathResponse
  readonly ping: Nothing
  readonly getChildren2: StatResponse & { readonly children: readonly string[] }
  readonly check: Nothing
  readonly multi: { readonly results: readonly MultiResult[] }
  /** The new configuration's text, as /zookeeper/config has it. */
  readonly reconfig: StatResponse & { readonly data: Uint8Array | null }
  readonly checkWatches: Nothing
  readonly removeWatches: Nothing
  readonly deleteContainer: Nothing
  readonly multiRead: { readonly results: readonly MultiResult[] }
  readonly auth: Nothing
  readonly setWatches: Nothing
  readonly setWatches2: Nothing
  readonly getEphemerals: { readonly ephemerals: readonly string[] }
  readonly getAllChildrenNumber: { readonly totalNumber: number }
  readonly addWatch: Nothing
  readonly whoAmI: { readonly clientInfo: readonly { readonly authScheme: string; readonly user: string }[] }
  readonly closeSession: Nothing
  readonly resumeWatches: Nothing
}
export type ResponseKind = keyof Responses

const nothing: Codec<Nothing> = { write: () => undefined, read: () => ({}) }
const path: Codec<PathResponse> = {
  write: (writer, r) => writer.string(r.path),
  read: (reader) => ({ path: reader.text() }),
}
const stat: Codec<StatResponse> = {
  write: (writer, r) => statCodec.write(writer, r.stat),
  read: (reader) => ({ stat: statCodec.read(reader) }),
}
const pathAndStat: Codec<PathResponse & StatResponse> = {
  write: (writer, r) => {
    writer.string(r.path)
    statCodec.write(writer, r.stat)
  },
  read: (reader) => ({ path: reader.text(), stat: statCodec.read(reader) }),
}
const dataAndStat: Codec<Responses['getData']> = {
  write: (writer, r) => {
    writer.buffer(r.data)
    statCodec.write(writer, r.stat)
  },
  read: (reader) => ({ data: reader.buffer(), stat: statCodec.read(reader) }),
}
const results: Codec<Responses['multi']> = {
  write: (writer, r) => writeResults(writer, r.results),
  read: (reader) => ({ results: readResults(reader) }),
}

const CODECS: { readonly [K in ResponseKind]: Codec<Responses[K]> } = {
  create: path,
  create2: pathAndStat,
  createContainer: pathAndStat,
  createTTL: pathAndStat,
  delete: nothing,
  exists: stat,
  getData: dataAndStat,
  setData: stat,
  getACL: {
    write: (writer, r) => {
      aclCodec.write(writer, r.acl)
      statCodec.write(writer, r.stat)
    },
    read: (reader) => ({ acl: aclCodec.read(reader), stat: statCodec.read(reader) }),
  },
  setACL: stat,
  getChildren: {
    write: (writer, r) => stringsCodec.write(writer, r.children),
    read: (reader) => ({ children: stringsCodec.read(reader) }),
  },
  sync: path,
  ping: nothing,
  getChildren2: {
    write: (writer, r) => {
      stringsCodec.write(writer, r.children)
      statCodec.write(writer, r.stat)
    },
    read: (reader) => ({ children: stringsCodec.read(reader), stat: statCodec.read(reader) }),
  },
  check: nothing,
  multi: results,
  reconfig: dataAndStat,
  checkWatches: nothing,
  removeWatches: nothing,
  deleteContainer: nothing,
  multiRead: results,
  auth: nothing,
  setWatches: nothing,
  setWatches2: nothing,
  getEphemerals: {
    write: (writer, r) => stringsCodec.write(writer, r.ephemerals),
    read: (reader) => ({ ephemerals: stringsCodec.read(reader) }),
  },
  getAllChildrenNumber: {
    write: (writer, r) => writer.int(r.totalNumber),
    read: (reader) => ({ totalNumber: reader.int() }),
  },
  // Apache's server sends an ErrorResponse record behind the header even where it says 0.
  addWatch: { write: (writer) => writer.int(0), read: readErrorResponse },
  whoAmI: {
    write: (writer, r) => writer.vector(r.clientInfo, (to, info) => to.string(info.authScheme).string(info.user)),
    read: (reader) => ({
      clientInfo: reader.vector((from) => ({ authScheme: from.text(), user: from.text() }), 8),
    }),
  },
  closeSession: nothing,
  resumeWatches: nothing,
}

function readErrorResponse(reader: Reader): Nothing {
  if (reader.remaining > 0) reader.int()
  return {}
}

export function writeResponse<K extends ResponseKind>(writer: Writer, kind: K, response: Responses[K]): void {
  CODECS[kind].write(writer, response)
}

export function readResponse<K extends ResponseKind>(reader: Reader, kind: K): Responses[K] {
  return CODECS[kind].read(reader)
}
