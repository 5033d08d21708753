import type { Harness } from './harness.ts'
import { live } from './life.ts'
import type { Swarm } from './swarm.ts'
import { walkOnce } from './walk-once.ts'

/** How to play a part of a seed: of its faults (of a walk: its actions) only these, in another shape. */
export interface Part {
  readonly only?: readonly string[]
  readonly shape?: Partial<Swarm>
}

export interface Played {
  readonly failure: string | null
  readonly lines: readonly string[]
  /** What happened, by name: what can be left out. */
  readonly faults: readonly string[]
  readonly swarm: Swarm | null
}

export async function playPart(harness: Harness, seed: number, part: Part): Promise<Played> {
  if (harness === 'walk') {
    const only = part.only === undefined ? undefined : new Set(part.only.map(Number))
    const { failure, trail, actions } = walkOnce(seed, only)
    return { failure, lines: trail, faults: actions.map(String), swarm: null }
  }
  const { failure, log, faults, swarm } = await live(seed, { ...part, profile: harness, makeLog: true })
  return { failure, lines: log, faults, swarm }
}

/** Which rule was broken, without the figures. */
export const kindOf = (failure: string): string =>
  (failure.split('\n')[0] ?? '').split(':')[0]?.replace(/\d+/g, '') ?? ''

export interface Shrunk {
  readonly part: Part
  readonly played: Played
  /** Before and after. */
  readonly faults: readonly [number, number]
  readonly runs: number
}

/**
 * The same failure with as little as possible: first faults are left out (delta debugging: halves, then smaller pieces), then the shape is
 * made plainer. Null: this seed does not fail.
 */
export async function shrink(
  harness: Harness,
  seed: number,
  runsMax = harness === 'walk' ? 4000 : 400,
): Promise<Shrunk | null> {
  const whole = await playPart(harness, seed, {})
  if (whole.failure === null) return null
  const kind = kindOf(whole.failure)
  let best: { part: Part; played: Played } = { part: { only: whole.faults }, played: whole }
  let runs = 0
  const try_ = async (part: Part): Promise<boolean> => {
    if (runs >= runsMax) return false
    runs++
    const played = await playPart(harness, seed, part)
    if (played.failure === null || kindOf(played.failure) !== kind) return false
    // What did not happen any more need not be named.
    const happened = new Set(played.faults)
    best = { part: { ...part, only: part.only?.filter((id) => happened.has(id)) ?? [] }, played }
    return true
  }

  for (let pieces = 2; ; ) {
    const size = Math.ceil((best.part.only?.length ?? 0) / pieces)
    let less = false
    for (let at = 0; at < (best.part.only?.length ?? 0); ) {
      const only = best.part.only ?? []
      if (await try_({ ...best.part, only: [...only.slice(0, at), ...only.slice(at + size)] })) less = true
      else at += size
    }
    if (runs >= runsMax || (size <= 1 && !less)) break
    if (size > 1) pieces *= 2
  }

  const { swarm } = whole
  if (swarm !== null) {
    const { diskFaults } = swarm
    const plainer: readonly Partial<Swarm>[] = [
      ...[1, 2, 3, 5].filter((size) => size < swarm.size).map((size) => ({ size })),
      { core: false },
      { diskFaults: { latency: 1, stall: 0, failure: 0 } },
      { diskFaults: { ...diskFaults, stall: 0 } },
      { diskFaults: { ...diskFaults, failure: 0 } },
      { latencyMin: 1, latencyMean: 1 },
      { snapshotEvery: 5000, historyEntriesMax: 20_000 },
      { rates: { ...swarm.rates, write: 2 } },
    ]
    for (const change of plainer) {
      const { shape } = best.part
      // A size that does is the smallest one.
      if ('size' in change && shape?.size !== undefined) continue
      await try_({ ...best.part, shape: { ...shape, ...change } })
    }
  }
  return { ...best, faults: [whole.faults.length, best.part.only?.length ?? 0], runs }
}

/** The options that play this part again. */
export const optionsOf = ({ only, shape }: Part): string =>
  `${only === undefined ? '' : ` --only '${only.join()}'`}${shape === undefined ? '' : ` --shape '${JSON.stringify(shape)}'`}`
