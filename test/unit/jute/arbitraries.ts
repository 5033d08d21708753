import fc from 'fast-check'
import type { SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { MultiResult } from '../../../src/jute/multi.ts'
import type { Request } from '../../../src/jute/protocol.ts'
import type { StatRecord } from '../../../src/jute/records.ts'
import type { ResponseKind, Responses } from '../../../src/jute/responses.ts'

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const long = fc.maxSafeNat()
const bigLong = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const sessionId = bigLong.map((id) => id as SessionId)
const zxid = long.map((value) => value as Zxid)
const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const bytes = fc.uint8Array({ maxLength: 40 })
const data = fc.option(bytes)
const acl = fc.array(fc.record({ perms: int, scheme: text, id: text }), { maxLength: 3 })
const texts = fc.array(text, { maxLength: 4 })

const stat: fc.Arbitrary<StatRecord> = fc.record({
  czxid: zxid,
  mzxid: zxid,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  dataLength: int,
  numChildren: int,
  pzxid: zxid,
})

const kind = <K extends string>(name: K) => fc.constant(name)
const create = { path: text, data, acl, flags: int }
const versioned = { path: text, version: int }
const watched = { path: text, watch: fc.boolean() }
const typed = { path: text, type: int }
const setWatches = { relativeZxid: long, dataWatches: texts, existWatches: texts, childWatches: texts }
const setWatches2 = { ...setWatches, persistentWatches: texts, persistentRecursiveWatches: texts }

const writeOp = fc.oneof(
  fc.record({ kind: kind('create'), ...create }),
  fc.record({ kind: kind('create2'), ...create }),
  fc.record({ kind: kind('createContainer'), ...create }),
  fc.record({ kind: kind('createTTL'), ...create, ttl: fc.integer() }),
  fc.record({ kind: kind('delete'), ...versioned }),
  fc.record({ kind: kind('setData'), ...versioned, data }),
  fc.record({ kind: kind('check'), ...versioned }),
)
const readOp = fc.oneof(
  fc.record({ kind: kind('getData'), ...watched }),
  fc.record({ kind: kind('getChildren'), ...watched }),
)

/** Every kind of request. */
export const request: fc.Arbitrary<Request> = fc.oneof(
  writeOp,
  readOp,
  fc.record({ kind: kind('exists'), ...watched }),
  fc.record({ kind: kind('getACL'), path: text }),
  fc.record({ kind: kind('setACL'), ...versioned, acl }),
  fc.record({ kind: kind('sync'), path: text }),
  fc.record({ kind: kind('ping') }),
  fc.record({ kind: kind('getChildren2'), ...watched }),
  fc.record({
    kind: kind('reconfig'),
    joiningServers: fc.option(text),
    leavingServers: fc.option(text),
    newMembers: fc.option(text),
    curConfigId: bigLong,
  }),
  fc.record({ kind: kind('checkWatches'), ...typed }),
  fc.record({ kind: kind('removeWatches'), ...typed }),
  fc.record({ kind: kind('deleteContainer'), path: text }),
  fc.record({ kind: kind('auth'), type: int, scheme: text, auth: data }),
  fc.record({ kind: kind('setWatches'), ...setWatches }),
  fc.record({ kind: kind('setWatches2'), ...setWatches2 }),
  fc.record({ kind: kind('resumeWatches'), ...setWatches2, last: fc.boolean() }),
  fc.record({ kind: kind('acknowledge'), seen: int }),
  fc.record({ kind: kind('getEphemerals'), prefixPath: text }),
  fc.record({ kind: kind('getAllChildrenNumber'), path: text }),
  fc.record({ kind: kind('addWatch'), path: text, mode: int }),
  fc.record({ kind: kind('whoAmI') }),
  fc.record({ kind: kind('closeSession') }),
  fc.record({ kind: kind('multi'), ops: fc.array(writeOp, { maxLength: 4 }) }),
  fc.record({ kind: kind('multiRead'), ops: fc.array(readOp, { maxLength: 4 }) }),
  fc.record({ kind: kind('unknown'), type: fc.integer({ min: 200, max: 9999 }), body: bytes }),
)

const result: fc.Arbitrary<MultiResult> = fc.oneof(
  fc.record({ kind: kind('create'), path: text }),
  fc.record({ kind: kind('create2'), path: text, stat }),
  fc.record({ kind: kind('delete') }),
  fc.record({ kind: kind('setData'), stat }),
  fc.record({ kind: kind('check') }),
  fc.record({ kind: kind('getData'), data, stat }),
  fc.record({ kind: kind('getChildren'), children: texts }),
  fc.record({ kind: kind('error'), err: int }),
)
const nothing = fc.constant({})
const results = fc.record({ results: fc.array(result, { maxLength: 5 }) })

export const responses: { readonly [K in ResponseKind]: fc.Arbitrary<Responses[K]> } = {
  create: fc.record({ path: text }),
  create2: fc.record({ path: text, stat }),
  createContainer: fc.record({ path: text, stat }),
  createTTL: fc.record({ path: text, stat }),
  delete: nothing,
  exists: fc.record({ stat }),
  getData: fc.record({ data, stat }),
  setData: fc.record({ stat }),
  getACL: fc.record({ acl, stat }),
  setACL: fc.record({ stat }),
  getChildren: fc.record({ children: texts }),
  sync: fc.record({ path: text }),
  ping: nothing,
  getChildren2: fc.record({ children: texts, stat }),
  check: nothing,
  multi: results,
  reconfig: fc.record({ data, stat }),
  checkWatches: nothing,
  removeWatches: nothing,
  deleteContainer: nothing,
  multiRead: results,
  auth: nothing,
  setWatches: nothing,
  setWatches2: nothing,
  getEphemerals: fc.record({ ephemerals: texts }),
  getAllChildrenNumber: fc.record({ totalNumber: int }),
  addWatch: nothing,
  whoAmI: fc.record({ clientInfo: fc.array(fc.record({ authScheme: text, user: text }), { maxLength: 3 }) }),
  closeSession: nothing,
  resumeWatches: nothing,
}

export const header = fc.record({ xid: int, zxid: fc.oneof(fc.constant(-1), long), err: int })
export const xid = int
const connect = {
  protocolVersion: int,
  lastZxidSeen: fc.oneof(fc.constant(-1), long),
  timeOut: int,
  sessionId,
  passwd: bytes,
  readOnly: fc.boolean(),
}
const line = fc.integer({ min: 1, max: 2 ** 48 - 1 })
export const connectRequest = fc.oneof(
  fc.record(connect),
  fc.record({ ...connect, offer: fc.record({ version: fc.integer({ min: 1, max: 2 ** 31 - 1 }), line }) }),
)
const connected = {
  protocolVersion: int,
  timeOut: int,
  sessionId,
  passwd: bytes,
  readOnly: fc.boolean(),
}
export const connectResponse = fc.oneof(
  fc.record(connected),
  fc.record({ ...connected, grant: fc.record({ version: int, continued: fc.boolean() }) }),
)
export const event = fc.record({ type: int, state: int, path: text })
