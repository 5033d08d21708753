import type { Outcome } from './harness.ts'

export interface Failure {
  readonly seed: number
  readonly cause: string
}

/** What a range of seeds came to. Plain data: it crosses from process to process. */
export interface Tally {
  readonly passed: number
  readonly failures: readonly Failure[]
  readonly steps: number
  readonly virtualMs: number
  readonly committed: number
  /** Of one core. */
  readonly ms: number
  /** Name and count. */
  readonly marks: readonly (readonly [string, number])[]
}

export const NOTHING: Tally = { passed: 0, failures: [], steps: 0, virtualMs: 0, committed: 0, ms: 0, marks: [] }

export function add(a: Tally, b: Tally): Tally {
  const marks = new Map(a.marks)
  for (const [name, count] of b.marks) marks.set(name, (marks.get(name) ?? 0) + count)
  return {
    passed: a.passed + b.passed,
    failures: [...a.failures, ...b.failures],
    steps: a.steps + b.steps,
    virtualMs: a.virtualMs + b.virtualMs,
    committed: a.committed + b.committed,
    ms: a.ms + b.ms,
    marks: [...marks],
  }
}

export const tallyOf = (outcome: Outcome, ms: number): Tally => ({
  passed: outcome.failure === null ? 1 : 0,
  failures: outcome.failure === null ? [] : [{ seed: outcome.seed, cause: outcome.failure }],
  steps: outcome.steps,
  virtualMs: outcome.virtualMs,
  committed: outcome.committed,
  ms,
  marks: [...outcome.marks],
})

export const seedsOf = (tally: Tally): number => tally.passed + tally.failures.length

/** One line: how much, and how fast on one core. */
export function ratesOf(tally: Tally): string {
  const seconds = Math.max(tally.ms, 1) / 1000
  const hours = tally.virtualMs / 3_600_000
  const rates = [
    `${(seedsOf(tally) / seconds).toFixed(1)} seeds/s`,
    ...(hours > 0 ? [`${((hours * 3600) / seconds).toFixed(0)} virtual s/s`] : []),
    `${(tally.steps / seconds).toFixed(0)} steps/s of a core`,
  ]
  return `${seedsOf(tally)} seeds, ${tally.steps} steps, ${hours.toFixed(1)} virtual hours, ${tally.committed} committed, ${seconds.toFixed(0)} core seconds; ${rates.join(', ')}`
}

export const marksOf = (tally: Tally): string[] => [...tally.marks].sort().map(([name, count]) => `  ${name} ${count}`)
