import { LIMITS, TIMES } from '../base/limits.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import type { PeerOptions } from '../zab/peer.ts'
import type { ReplicaOptions } from './replica.ts'

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
