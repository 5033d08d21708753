import { live } from './life.ts'
import { walkOnce } from './walk-once.ts'

/** What plays a seed: a timed life with the smallest state machine, one with the product's server and clients, one with a member that lies, one with a task queue, an untimed walk. */
export const HARNESSES = ['zab', 'tree', 'hostile', 'tasks', 'walk'] as const
export type Harness = (typeof HARNESSES)[number]

export const isHarness = (name: string): name is Harness => HARNESSES.some((one) => one === name)

/** What a seed came to. */
export interface Outcome {
  readonly seed: number
  readonly failure: string | null
  /** Milliseconds of virtual time; 0 in a walk. */
  readonly virtualMs: number
  /** Events of a life, actions of a walk. */
  readonly steps: number
  readonly committed: number
  readonly marks: ReadonlyMap<string, number>
}

export async function play(harness: Harness, seed: number): Promise<Outcome> {
  if (harness === 'walk') return { ...walkOnce(seed), virtualMs: 0 }
  const report = await live(seed, { profile: harness })
  return { ...report, steps: report.events }
}

/** The command that plays this seed again. */
export const again = (harness: Harness, seed: number): string =>
  `npm run sim -- ${harness === 'walk' ? '--walk' : `--profile ${harness}`} --trace ${seed}`
