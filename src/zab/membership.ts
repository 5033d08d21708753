import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { isEnsembleId, isReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { DecodeError, decode, type Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import type { Entry } from './entry.ts'

/**
 * Who votes. A pure function of the log: the newest `config` record in a peer's own durable log, committed or not. While
 * `old` is there the configuration is *joint*, and every quorum needs a majority of both (Raft thesis 4.3; ZooKeeper counts
 * lastSeenQuorumVerifier beside the current one).
 */
export interface Config {
  readonly ensemble: EnsembleId
  readonly voters: readonly ReplicaId[]
  readonly old: readonly ReplicaId[] | null
  /** The log's format from this record on; absent: the first one. Here, because a snapshot keeps the configuration in force. */
  readonly format?: number
}

/** The highest log format that this build knows: format.ts. */
export const FORMAT_VERSION = 1
/** What every build knows. */
export const FIRST_FORMAT = 1

export function encodeConfig(config: Config): Uint8Array {
  const writer = new Writer().byte(1).string(config.ensemble)
  writer.vector(config.voters, (to, id) => to.long(id))
  writer.bool(config.old !== null)
  if (config.old !== null) writer.vector(config.old, (to, id) => to.long(id))
  if (formatOf(config) > FIRST_FORMAT) writer.int(formatOf(config))
  return writer.finish()
}

export function decodeConfig(bytes: Uint8Array): Config {
  return decode(bytes, (reader) => {
    if (reader.byte() !== 1) throw new DecodeError('unknown config record')
    const ensemble = reader.text()
    if (!isEnsembleId(ensemble)) throw new DecodeError('no ensemble id')
    const voters = readVoters(reader)
    const old = reader.bool() ? readVoters(reader) : null
    if (reader.remaining === 0) return { ensemble, voters, old }
    const format = reader.int()
    if (format <= FIRST_FORMAT) throw new DecodeError(`format ${format}`)
    return { ensemble, voters, old, format }
  })
}

function readVoters(reader: Reader): ReplicaId[] {
  const voters = reader.vector((from) => from.long(), 8)
  if (voters.length === 0 || voters.length > LIMITS.votersMax) throw new DecodeError(`${voters.length} voters`)
  if (new Set(voters).size !== voters.length || !voters.every(isReplicaId)) throw new DecodeError('bad voters')
  return voters as ReplicaId[]
}

export const encodeFormat = (version: number): Uint8Array => new Writer().int(version).finish()

export function decodeFormat(bytes: Uint8Array): number {
  return decode(bytes, (reader) => reader.int())
}

/** Everybody who votes in it: while joint, the members of both. */
export function votersOf(config: Config | null): readonly ReplicaId[] {
  if (config === null) return []
  if (config.old === null) return config.voters
  return [...new Set([...config.voters, ...config.old])]
}

export const formatOf = (config: Config): number => config.format ?? FIRST_FORMAT

export const isVoter = (config: Config | null, id: ReplicaId): boolean =>
  config !== null && (config.voters.includes(id) || (config.old?.includes(id) ?? false))

/** The first records of a new ensemble: one voter, and the log's format. */
export function foundingEntries(
  ensemble: EnsembleId,
  founder: ReplicaId,
  zxids: readonly [Entry['zxid'], Entry['zxid']],
): Entry[] {
  return [
    {
      zxid: zxids[0],
      kind: 'config',
      bytes: encodeConfig({ ensemble, voters: [founder], old: null, format: FORMAT_VERSION }),
    },
    { zxid: zxids[1], kind: 'format', bytes: encodeFormat(FORMAT_VERSION) },
  ]
}
