import type { DBSchema, IDBPDatabase } from 'idb'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import type { Remembered } from '../zab/standing.ts'
import type { Ancestry } from './txn-log.ts'

/**
 * A bundle that meets a higher one leaves the database alone. A database's version is SCHEMA_VERSION × CLAIMS plus how often it was
 * claimed: see `claimDatabase`.
 */
export const SCHEMA_VERSION = 0
export const CLAIMS = 2 ** 32

/** One write batch: dear are the records, not the bytes. Its key is the zxid of its first entry. */
export interface LogRecord {
  readonly last: Zxid
  readonly count: number
  /** zab/entry-codec's `encodeEntries`. */
  readonly bytes: Uint8Array
  readonly sum: number
  /** A hint that rides along. */
  readonly committed: Zxid
}

export interface ChunkRecord {
  readonly bytes: Uint8Array
  readonly sum: number
}

/** A snapshot's serial tells two at one zxid apart: one may be half written while the other is in force. */
export type ChunkKey = [zxid: Zxid, serial: number, index: number]

/** Who owns the log. */
export interface IdentityRecord {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  readonly incarnation: number
  /** For people: when this identity was made, milliseconds since 1970. */
  readonly created: number
  readonly forkedFrom?: Ancestry
}

/** What changes rarely, in one record. */
export interface StateRecord {
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  readonly committed: Zxid
  /** The snapshot's zxid, 0 without one. */
  readonly base: Zxid
  readonly baseConfig: Entry | null
  readonly snapshotSerial: number
  readonly snapshotChunks: number
  /** What the first log record stands directly behind: ≤ base. */
  readonly logFrom: Zxid
  /** What this replica remembers of the other voters. */
  readonly memory: readonly Remembered[]
  /** This store went backwards: it neither votes nor counts. */
  readonly demoted: boolean
}

interface Schema extends DBSchema {
  identity: { key: 'identity'; value: IdentityRecord }
  state: { key: 'state'; value: StateRecord }
  log: { key: Zxid; value: LogRecord }
  snapshot: { key: ChunkKey; value: ChunkRecord }
}

export type Store = 'identity' | 'state' | 'log' | 'snapshot'
export type Database = IDBPDatabase<Schema>

export const EMPTY_STATE: StateRecord = {
  acceptedEpoch: 0,
  currentEpoch: 0,
  committed: 0 as Zxid,
  base: 0 as Zxid,
  baseConfig: null,
  snapshotSerial: 0,
  snapshotChunks: 0,
  logFrom: 0 as Zxid,
  memory: [],
  demoted: false,
}
