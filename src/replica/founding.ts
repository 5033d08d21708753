import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { makeZxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import { demandReadable as demand } from '../zab/format.ts'
import { decodeConfig, FORMAT_VERSION, foundingEntries, votersOf } from '../zab/membership.ts'

/** The first log records of a new ensemble: its founder votes alone. */
export const founding = (ensemble: EnsembleId, founder: ReplicaId): readonly Entry[] =>
  foundingEntries(ensemble, founder, [makeZxid(0, 1), makeZxid(0, 2)])

/** Who votes, by a `config` entry of a log. Throws DecodeError. */
export const votersOfEntry = (config: Entry): readonly ReplicaId[] => votersOf(decodeConfig(config.bytes))

/** Throws `UpdateNeeded`: this build does not know the format of that log. */
export const demandReadable = (log: Parameters<typeof demand>[0]): void => demand(log, FORMAT_VERSION)
