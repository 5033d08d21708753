import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'
import type { PeerAbout } from './facts.ts'
import type { Remembered } from './standing.ts'

/** Times in milliseconds; the simulator draws others. */
export interface Timing {
  readonly heartbeat: number
  readonly silence: number
  readonly establish: number
  readonly finalizeVote: number
  readonly revote: number
  readonly revoteMax: number
  readonly steady: number
  readonly reloadGrace: number
  readonly evictAfter: number
  readonly handoverAfterHidden: number
}

export interface PeerOptions extends Pick<PeerAbout, 'browser' | 'format' | 'adopted' | 'lasting'> {
  readonly id: ReplicaId
  /** How many voters the autopilot aims at: 1, 3 or 5. */
  readonly voters: number
  readonly timing: Timing
  readonly proposalsInFlightMax: number
  readonly batchBytesMax: number
  readonly historyEntriesMax: number
  /** How many observers it takes below itself. */
  readonly observersMax: number
  /** Seeds the jitter; the core has no chance of its own. */
  readonly seed: number
}

/** What was found in the log at the start. */
export interface PeerStart {
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  readonly base: Zxid
  readonly baseConfig: Entry | null
  readonly entries: readonly Entry[]
  readonly memory: readonly Remembered[]
  readonly demoted: boolean
  /** The host has applied the log up to here. */
  readonly committed: Zxid
}
