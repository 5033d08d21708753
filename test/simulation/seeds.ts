import type { CommandLine } from './command-line.ts'
import { commit } from './commit.ts'
import { playAll } from './crew.ts'
import { again, type Harness } from './harness.ts'
import { add, marksOf, NOTHING, ratesOf } from './tally.ts'

const PORTION: Record<Harness, number> = { zab: 10, tree: 5, hostile: 10, tasks: 5, walk: 200 }
const FAILURES_MAX = 10

/** A range of seeds of one harness, until the time is up. The exit code. */
export async function playSeeds(harness: Harness, line: CommandLine): Promise<number> {
  const [from, to] = line.range('seeds', harness === 'walk' ? [1, 20_000] : [1, 200])
  const jobs = line.number('jobs', 1)
  const stop = line.has('stop')
  const version = commit()
  const began = performance.now()
  const until = began + line.number('minutes', Number.POSITIVE_INFINITY) * 60_000
  // Mutants are measured in seeds: there the portions must not round up.
  const size = jobs === 1 ? 1 : PORTION[harness]
  let sum = NOTHING
  let at = from
  await playAll(
    jobs,
    () => {
      const enough = sum.failures.length >= (stop ? 1 : FAILURES_MAX)
      if (enough || at > to || performance.now() > until) return null
      const portion = { harness, from: at, to: Math.min(at + size - 1, to), stop }
      at += size
      return portion
    },
    (_, tally) => {
      sum = add(sum, tally)
      for (const { seed, cause } of tally.failures) {
        console.log(
          `seed ${seed} failed at commit ${version}: ${cause}\n  again: ${again(harness, seed)}, or --shrink ${seed}`,
        )
      }
    },
  )
  for (const mark of marksOf(sum)) console.log(mark)
  const seconds = (performance.now() - began) / 1000
  const seeds = sum.passed + sum.failures.length
  console.log(
    `${harness}, ${jobs} job${jobs === 1 ? '' : 's'}, ${seconds.toFixed(0)} s, ${(seeds / seconds).toFixed(1)} seeds/s: ${ratesOf(sum)}`,
  )
  console.log(`${sum.passed} passed, ${sum.failures.length} failed`)
  return sum.failures.length > 0 || sum.passed === 0 ? 1 : 0
}
