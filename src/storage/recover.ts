import { assert } from '../base/assert.ts'
import { epochOf, follows, isZxid, type Zxid } from '../base/zxid.ts'
import { DecodeError } from '../jute/reader.ts'
import type { Entry } from '../zab/entry.ts'
import { decodeEntries, encodeEntries } from '../zab/entry-codec.ts'
import { checksum } from './checksum.ts'
import { storageFailed } from './database.ts'
import { nextIncarnation } from './incarnation.ts'
import { type Batch, Layout } from './layout.ts'
import {
  type ChunkKey,
  type ChunkRecord,
  type Database,
  EMPTY_STATE,
  type IdentityRecord,
  type LogRecord,
  type StateRecord,
} from './schema.ts'
import type { DemandReadable, Recovered } from './txn-log.ts'

export interface Found {
  readonly recovered: Recovered
  readonly layout: Layout
  /** The key of a last record that is garbled; what it held is not in `recovered`. */
  readonly torn: Zxid | null
}

export function logRecord(entries: readonly Entry[], committed: Zxid): LogRecord {
  const bytes = encodeEntries(entries)
  const last = entries.at(-1)
  assert(last !== undefined, 'a record holds entries')
  return { last: last.zxid, count: entries.length, bytes, sum: checksum(bytes), committed }
}

/** Snapshot serials of one incarnation, so that no two ever share one. */
const SERIALS = 2 ** 20

/** null: garbled. */
export function recordEntries(key: Zxid, record: LogRecord): Entry[] | null {
  if (!(record?.bytes instanceof Uint8Array) || checksum(record.bytes) !== record.sum) return null
  try {
    const entries = decodeEntries(record.bytes)
    const fits = entries.length === record.count && entries[0]?.zxid === key && entries.at(-1)?.zxid === record.last
    return fits && record.last - key + 1 === record.count && epochOf(record.last) === epochOf(key) ? entries : null
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

/** The keys of one snapshot's chunks. */
const chunksOf = (zxid: Zxid, serial: number): IDBKeyRange => IDBKeyRange.bound([zxid, serial], [zxid, serial, []])

/**
 * Reads the whole log and checks all of it. null: a database without a complete identity (its maker crashed). A garbled
 * record is cut off only at the very end; anywhere else, and with any hole, it rejects with StorageFailed: never a guess.
 * `demandReadable` is asked first: what looks garbled may be of a later format.
 */
export async function readLog(db: Database, demandReadable: DemandReadable = () => undefined): Promise<Found | null> {
  const tx = db.transaction(['identity', 'state', 'log', 'snapshot'], 'readonly')
  const [identity, state] = await Promise.all([
    tx.objectStore('identity').get('identity'),
    tx.objectStore('state').get('state'),
  ])
  if (identity === undefined || state === undefined) return null
  if (!validState(state)) throw garbled(db, 'its state record is garbled')
  const [keys, records, chunks] = await Promise.all([
    tx.objectStore('log').getAllKeys(),
    tx.objectStore('log').getAll(),
    state.snapshotChunks === 0 ? [] : tx.objectStore('snapshot').getAll(chunksOf(state.base, state.snapshotSerial)),
    tx.done,
  ])
  const snapshot = readSnapshot(db, state, chunks)
  // An earlier build wrote neither memory nor demotion.
  return chain(db, identity, { ...EMPTY_STATE, ...state }, keys, records, snapshot, demandReadable)
}

function chain(
  db: Database,
  identity: IdentityRecord,
  state: StateRecord,
  keys: readonly Zxid[],
  records: readonly LogRecord[],
  snapshot: readonly Uint8Array[],
  demandReadable: DemandReadable,
): Found {
  const entries: Entry[] = []
  const batches: Batch[] = []
  let committed = state.committed
  let previous = state.logFrom
  let torn: Zxid | null = null
  for (let i = 0; i < keys.length; i++) {
    const [key, record] = [keys[i] as Zxid, records[i] as LogRecord]
    const batch = recordEntries(key, record)
    if (batch === null) {
      demandReadable({ baseConfig: state.baseConfig, entries })
      if (i < keys.length - 1) throw garbled(db, `its log record ${key} is garbled`)
      torn = key
      break
    }
    if (!follows(previous, key)) throw garbled(db, `its log has a hole between ${previous} and ${key}`)
    batches.push({ first: key, last: record.last })
    for (const entry of batch) if (entry.zxid > state.base) entries.push(entry)
    if (record.committed > committed) committed = record.committed
    previous = record.last
  }
  demandReadable({ baseConfig: state.baseConfig, entries })
  if (previous < state.base) throw garbled(db, 'its log ends before its snapshot')
  const last = entries.at(-1)?.zxid ?? state.base
  return {
    layout: new Layout({ ...state, demoted: state.demoted || torn !== null }, batches, identity.incarnation * SERIALS),
    torn,
    recovered: {
      ensemble: identity.ensemble,
      replica: identity.replica,
      incarnation: identity.incarnation,
      acceptedEpoch: state.acceptedEpoch,
      currentEpoch: state.currentEpoch,
      base: state.base,
      baseConfig: state.baseConfig,
      snapshot,
      entries,
      memory: state.memory,
      demoted: state.demoted || torn !== null,
      committed: Math.min(committed, last) as Zxid,
      ...(identity.forkedFrom === undefined ? {} : { forkedFrom: identity.forkedFrom }),
    },
  }
}

function readSnapshot(db: Database, state: StateRecord, chunks: readonly ChunkRecord[]): Uint8Array[] {
  if (chunks.length !== state.snapshotChunks) throw garbled(db, 'its snapshot is incomplete')
  return chunks.map(({ bytes, sum }) => {
    if (!(bytes instanceof Uint8Array) || checksum(bytes) !== sum) throw garbled(db, 'its snapshot is garbled')
    return bytes
  })
}

const validState = (state: StateRecord): boolean =>
  Number.isSafeInteger(state.acceptedEpoch) &&
  Number.isSafeInteger(state.currentEpoch) &&
  [state.committed, state.base, state.logFrom].every(isZxid) &&
  state.logFrom <= state.base &&
  Number.isSafeInteger(state.snapshotChunks) &&
  Number.isSafeInteger(state.snapshotSerial)

const garbled = (db: Database, what: string) => storageFailed(`database ${db.name}: ${what}`)

const ALL = ['identity', 'state', 'log', 'snapshot'] as const

/** Writes a new identity with its first entries, durably, all or nothing. */
export async function createLog(
  db: Database,
  identity: Pick<IdentityRecord, 'ensemble' | 'replica'>,
  state: StateRecord,
  entries: readonly Entry[],
): Promise<void> {
  const tx = db.transaction(ALL, 'readwrite', { durability: 'strict' })
  const { ensemble, replica } = identity
  const layout = new Layout(state, [], SERIALS)
  const puts: Promise<unknown>[] = layout
    .plan([{ kind: 'append', entries }])
    .map((step) =>
      step.kind === 'put'
        ? tx.objectStore('log').put(logRecord(step.entries, state.committed), (step.entries[0] as Entry).zxid)
        : Promise.resolve(),
    )
  puts.push(tx.objectStore('state').put(state, 'state'))
  puts.push(tx.objectStore('identity').put({ ensemble, replica, incarnation: 1, created: Date.now() }, 'identity'))
  await Promise.all([...puts, tx.done])
}

/** Raises the incarnation durably, and sweeps away what a snapshot left half written. */
export async function raiseIncarnation(db: Database): Promise<void> {
  const tx = db.transaction(ALL, 'readwrite', { durability: 'strict' })
  const identities = tx.objectStore('identity')
  const [identity, state] = await Promise.all([identities.get('identity'), tx.objectStore('state').get('state')])
  if (identity === undefined || state === undefined) throw garbled(db, 'it has no identity')
  const raised = { ...identity, incarnation: nextIncarnation(identity.incarnation, Date.now()) }
  const key: ChunkKey = [state.base, state.snapshotSerial, 0]
  await Promise.all([identities.put(raised, 'identity'), ...sweep(tx.objectStore('snapshot'), key[0], key[1]), tx.done])
}

interface Sweepable<T> {
  delete(range: IDBKeyRange): T
}

/** Deletes every chunk but those of one snapshot. */
export const sweep = <T>(store: Sweepable<T>, zxid: Zxid, serial: number): T[] => [
  store.delete(IDBKeyRange.upperBound([zxid, serial], true)),
  store.delete(IDBKeyRange.lowerBound([zxid, serial, []], true)),
]

/**
 * Deletes a torn last record: what is appended next must not find it. What it held may have been acknowledged, so the replica is
 * demoted in the same transaction.
 */
export async function dropTorn(db: Database, key: Zxid, state: StateRecord): Promise<void> {
  const tx = db.transaction(['log', 'state'], 'readwrite', { durability: 'strict' })
  await Promise.all([
    tx.objectStore('log').delete(key),
    tx.objectStore('state').put({ ...state, demoted: true }, 'state'),
    tx.done,
  ])
}
