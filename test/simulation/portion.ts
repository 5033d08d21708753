import { type Harness, play } from './harness.ts'
import { add, NOTHING, type Tally, tallyOf } from './tally.ts'

/** Seeds that are played in one go by one process. */
export interface Portion {
  readonly harness: Harness
  readonly from: number
  readonly to: number
  /** Leave the rest after the first failure. */
  readonly stop: boolean
}

export async function playPortion({ harness, from, to, stop }: Portion): Promise<Tally> {
  let sum = NOTHING
  for (let seed = from; seed <= to; seed++) {
    const began = process.cpuUsage()
    const outcome = await play(harness, seed)
    const { user, system } = process.cpuUsage(began)
    sum = add(sum, tallyOf(outcome, (user + system) / 1000))
    if (stop && sum.failures.length > 0) break
  }
  return sum
}
