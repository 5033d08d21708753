import type { Chance } from './chance.ts'
import type { DiskFaults } from './disk.ts'

/** How often each fault happens, a second; 0: not in this life. */
export interface Rates {
  readonly crash: number
  readonly reset: number
  readonly cut: number
  readonly freeze: number
  readonly stepDown: number
  /** Faults that wait for the protocol to come to a place. */
  readonly ambush: number
  readonly write: number
  /** Stores that go backwards. */
  readonly backwards: number
  /** Trees that differ although the logs agree. */
  readonly diverge: number
}

/** The shape of one life. */
export interface Swarm {
  /** Replicas, so many of them voters if they can. */
  readonly size: number
  readonly voters: 1 | 3 | 5
  /** Milliseconds until the heal. */
  readonly duration: number
  readonly latencyMin: number
  readonly latencyMean: number
  readonly diskFaults: DiskFaults
  readonly rates: Rates
  readonly snapshotEvery: number
  readonly historyEntriesMax: number
  /** How many observers a leader or a follower takes below itself. */
  readonly observersMax: number
  readonly sameBrowser: boolean
  /** In the end a quorum is healed, and all else stays broken. */
  readonly core: boolean
  /** When a build is deployed that knows a later log format: whoever starts from then on has it. */
  readonly deployedAt: number | null
  /** One of them runs on a server. */
  readonly server: boolean
  /** How often a page is hidden, or shown again, a second; and after how long a hidden leader gives way. */
  readonly hide: number
  readonly handoverAfterHidden: number
}

/** Each fault is absent in many lives, so that the others are seen alone. */
export function drawSwarm(swarm: Chance, pages: Chance): Swarm {
  const rare = (p: number, lo: number, hi: number, of = swarm): number => (of.is(p) ? lo * (hi / lo) ** of.real() : 0)
  return {
    size: swarm.is(0.05) ? swarm.int(8, 27) : swarm.pick([1, 2, 3, 3, 3, 4, 5, 6, 7]),
    voters: swarm.pick([1, 3, 3, 3, 5] as const),
    duration: swarm.int(8_000, 25_000),
    latencyMin: swarm.int(0, 3),
    latencyMean: swarm.pick([1, 1, 5, 20, 60, 300]),
    diskFaults: {
      latency: swarm.pick([1, 1, 3, 15, 60, 250]),
      stall: rare(0.3, 0.001, 0.03),
      failure: rare(0.2, 0.0001, 0.003),
    },
    rates: {
      crash: rare(0.6, 0.05, 1),
      reset: rare(0.5, 0.05, 1),
      cut: rare(0.5, 0.03, 0.5),
      freeze: rare(0.4, 0.03, 0.4),
      stepDown: rare(0.3, 0.03, 0.3),
      ambush: rare(0.4, 0.1, 2),
      write: swarm.pick([2, 20, 100]),
      backwards: rare(0.3, 0.03, 0.5),
      diverge: rare(0.1, 0.05, 0.3),
    },
    snapshotEvery: swarm.pick([5, 50, 5000]),
    historyEntriesMax: swarm.pick([3, 30, 20_000]),
    observersMax: swarm.pick([1, 1, 2, 8]),
    sameBrowser: swarm.is(0.5),
    core: swarm.is(0.5),
    deployedAt: swarm.is(0.3) ? swarm.int(0, 20_000) : null,
    server: swarm.is(0.3),
    hide: rare(0.5, 0.1, 1, pages),
    handoverAfterHidden: pages.pick([500, 500, 3000]),
  }
}
