import { LIMITS, TIMES } from '../base/limits.ts'
import type { ReplicaServer } from '../server/orders.ts'
import type { Recovered, TxnLog } from '../storage/txn-log.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import type { PeerOptions } from '../zab/options.ts'
import type { Platform, ReplicaListener } from './api.ts'

export interface ReplicaOptions
  extends Partial<Pick<PeerOptions, 'timing' | 'historyEntriesMax' | 'observersMax' | 'format'>> {
  readonly log: TxnLog
  readonly recovered: Recovered
  readonly server: ReplicaServer
  readonly platform: Platform
  readonly listener: ReplicaListener
  readonly browser: string
  /** In place of a dead tab: see adoption.ts. */
  readonly adopted?: boolean
  readonly lasting?: boolean
  readonly voters: 1 | 3 | 5
  /** Delivered entries after which a snapshot is taken and the log before it forgotten. */
  readonly snapshotEvery?: number
}

/** What the core is told about its replica; the platform's chance seeds its jitter. */
export function peerOptionsOf(options: ReplicaOptions): PeerOptions {
  const seed = options.platform.entropy(4)
  return {
    id: options.recovered.replica,
    browser: options.browser,
    adopted: options.adopted ?? false,
    lasting: options.lasting ?? false,
    format: options.format ?? FORMAT_VERSION,
    voters: options.voters,
    timing: options.timing ?? TIMES,
    proposalsInFlightMax: LIMITS.proposalsInFlightMax,
    batchBytesMax: LIMITS.batchBytesMax,
    historyEntriesMax: options.historyEntriesMax ?? LIMITS.historyEntriesMax,
    observersMax: options.observersMax ?? LIMITS.observersMax,
    seed: new DataView(seed.buffer, seed.byteOffset).getInt32(0),
  }
}
