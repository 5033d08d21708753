import { crc32 } from 'node:zlib'
import { KeeperError } from '../base/errors.ts'
import { type EnsembleId, isEnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { DecodeError, decode, type Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import type { StateRecord } from '../storage/schema.ts'
import type { Entry } from '../zab/entry.ts'
import { decodeEntries, encodeEntries, readOptionalEntry, readZxid, writeOptionalEntry } from '../zab/entry-codec.ts'
import type { Remembered } from '../zab/standing.ts'
import { storageFailed } from './level-store.ts'

/** A program that meets a later one leaves the directory alone. */
const FORMAT = 1

export interface Identity {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  readonly incarnation: number
}

export const encodeIdentity = ({ ensemble, replica, incarnation }: Identity): Uint8Array =>
  new Writer(64).int(FORMAT).string(ensemble).long(replica).int(incarnation).finish()

/** Throws UpdateNeeded or StorageFailed. */
export function decodeIdentity(bytes: Uint8Array): Identity {
  const identity = whole('identity', bytes, (from) =>
    decode(from, (reader) => {
      const format = reader.int()
      if (format > FORMAT) {
        throw new KeeperError('UpdateNeeded', `the data directory has format ${format}, this program knows ${FORMAT}`)
      }
      return { ensemble: reader.text(), replica: reader.long(), incarnation: reader.int() }
    }),
  )
  const { ensemble, replica, incarnation } = identity
  if (!isEnsembleId(ensemble) || !isReplicaId(replica)) throw storageFailed('the identity record is garbled')
  return { ensemble, replica, incarnation }
}

export function encodeState(state: StateRecord): Uint8Array {
  const writer = new Writer(128).int(state.acceptedEpoch).int(state.currentEpoch)
  writer.long(state.committed).long(state.base).long(state.logFrom)
  writer.long(state.snapshotSerial).int(state.snapshotChunks)
  writeOptionalEntry(writer, state.baseConfig)
  writer.bool(state.demoted).vector(state.memory, (to, one) => {
    to.long(one.id).int(one.acceptedEpoch).int(one.currentEpoch).long(one.zxid)
  })
  return writer.finish()
}

export const decodeState = (bytes: Uint8Array): StateRecord =>
  whole('state', bytes, (from) =>
    decode(from, (reader) => ({
      acceptedEpoch: reader.int(),
      currentEpoch: reader.int(),
      committed: readZxid(reader),
      base: readZxid(reader),
      logFrom: readZxid(reader),
      snapshotSerial: reader.long(),
      snapshotChunks: reader.int(),
      baseConfig: readOptionalEntry(reader),
      // A state written by an earlier build ends here.
      ...(reader.remaining === 0
        ? { demoted: false, memory: [] }
        : { demoted: reader.bool(), memory: readMemory(reader) }),
    })),
  )

const readMemory = (reader: Reader): Remembered[] =>
  reader.vector(
    (from) => ({
      id: from.long() as ReplicaId,
      acceptedEpoch: from.int(),
      currentEpoch: from.int(),
      zxid: readZxid(from),
    }),
    24,
  )

/** A record of the log: the hint `committed`, a checksum, and a run of entries. */
export function encodeRun(entries: readonly Entry[], committed: Zxid): Uint8Array {
  const bytes = encodeEntries(entries)
  return new Writer(12 + bytes.length)
    .long(committed)
    .int(crc32(bytes) | 0)
    .raw(bytes)
    .finish()
}

export interface Run {
  readonly committed: Zxid
  readonly entries: readonly Entry[]
}

/** Throws StorageFailed. */
export const decodeRun = (key: string, bytes: Uint8Array): Run =>
  whole(key, bytes, (from) =>
    decode(from, (reader) => {
      const committed = readZxid(reader)
      const sum = reader.int()
      const run = reader.raw(reader.remaining)
      if ((crc32(run) | 0) !== sum) throw new DecodeError('wrong checksum')
      return { committed, entries: decodeEntries(run) }
    }),
  )

function whole<T>(name: string, bytes: Uint8Array, read: (bytes: Uint8Array) => T): T {
  try {
    // LevelDB gives Buffers, whose `slice` is no copy.
    return read(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
  } catch (error) {
    if (error instanceof DecodeError) throw storageFailed(`the record ${name} is garbled: ${error.message}`, error)
    throw error
  }
}

/** A chunk of a snapshot behind its checksum. */
export const encodeChunk = (bytes: Uint8Array): Uint8Array =>
  new Writer(4 + bytes.length)
    .int(crc32(bytes) | 0)
    .raw(bytes)
    .finish()

export const decodeChunk = (key: string, bytes: Uint8Array): Uint8Array =>
  whole(key, bytes, (from) =>
    decode(from, (reader) => {
      const sum = reader.int()
      const chunk = reader.raw(reader.remaining)
      if ((crc32(chunk) | 0) !== sum) throw new DecodeError('wrong checksum')
      return chunk
    }),
  )
