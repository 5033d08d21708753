import type { Result } from './report.ts'
import type { Sample, Workload } from './workload.ts'

/** An ensemble that stands ready for one client's work. */
export interface Contender {
  readonly name: string
  readonly version: string
  run(workload: Workload): Promise<Sample>
  stop(): Promise<void>
}

/**
 * Rounds alternate between the contenders, so that what else the machine does meets all alike. Only one works at a time: they
 * share its cores. Gives each contender's results, in the contenders' order.
 */
export async function contest(
  contenders: readonly Contender[],
  workloads: readonly Workload[],
  roundsEach: number,
): Promise<Result[][]> {
  const results: Result[][] = contenders.map(() => [])
  for (const workload of workloads) {
    const samples: Sample[][] = contenders.map(() => [])
    for (let round = 0; round < roundsEach; round++) {
      for (const [index, contender] of contenders.entries()) samples[index]?.push(await contender.run(workload))
    }
    for (const [index, { name }] of contenders.entries()) {
      results[index]?.push({ ensemble: name, workload, rounds: samples[index] ?? [] })
    }
  }
  return results
}
