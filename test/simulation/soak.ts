import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, firstSeed } from './commit.ts'
import { playAll } from './crew.ts'
import { again, HARNESSES, type Harness } from './harness.ts'
import { missingMarks } from './required-marks.ts'
import { optionsOf, shrink } from './shrink.ts'
import { add, marksOf, NOTHING, ratesOf, seedsOf, type Tally } from './tally.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly jobs: number
  /** Absent: by the commit. */
  readonly from: number | undefined
  /** Is it an error if a required mark has no hits? */
  readonly marksMatter: boolean
  /** Where log, summary and failures are kept. */
  readonly dir: string
}

/** Seeds in one go, a few seconds of work. */
const PORTION: Record<Harness, number> = { zab: 20, tree: 10, hostile: 20, tasks: 20, walk: 500 }
/** Shares of the time. */
const SHARE: Record<Harness, number> = { zab: 2, tree: 2, hostile: 0.5, tasks: 0.5, walk: 1 }

/** All harnesses in turn, for long. The exit code. */
export async function soak({ minutes, jobs, from, dir, marksMatter }: SoakOptions): Promise<number> {
  mkdirSync(dir, { recursive: true })
  const log = join(dir, 'soak.log')
  const say = (line: string): void => {
    console.log(line)
    appendFileSync(log, `${new Date().toISOString()} ${line}\n`)
  }
  const first = from ?? firstSeed()
  const version = commit()
  say(`soak of ${minutes} minutes on ${jobs} cores, commit ${version}, seeds from ${first}`)
  const tallies = new Map<Harness, Tally>(HARNESSES.map((harness) => [harness, NOTHING]))
  const next = new Map<Harness, number>(HARNESSES.map((harness) => [harness, first]))
  const given = new Map<Harness, number>(HARNESSES.map((harness) => [harness, 0]))
  const began = performance.now()
  const passedMinutes = (): number => (performance.now() - began) / 60_000
  const tallyFor = (harness: Harness): Tally => tallies.get(harness) ?? NOTHING

  const summary = (): string[] =>
    HARNESSES.flatMap((harness) => {
      const tally = tallyFor(harness)
      const last = first + seedsOf(tally) - 1
      return [`${harness}: ${tally.failures.length} failed; ${ratesOf(tally)}; seeds ${first} to about ${last}`]
    })
  const everyMinute = setInterval(() => {
    say(`minute ${passedMinutes().toFixed(0)}`)
    for (const line of summary()) say(`  ${line}`)
  }, 60_000)

  await playAll(
    jobs,
    () => {
      if (passedMinutes() >= minutes) return null
      // Whoever has had the smallest part of its share; what is given out counts at once.
      const spent = (harness: Harness): number =>
        (tallyFor(harness).ms + (given.get(harness) ?? 0) * averageMs(harness, tallyFor(harness))) / SHARE[harness]
      const harness = HARNESSES.reduce((a, b) => (spent(b) < spent(a) ? b : a))
      const seed = next.get(harness) ?? first
      next.set(harness, seed + PORTION[harness])
      given.set(harness, (given.get(harness) ?? 0) + PORTION[harness])
      return { harness, from: seed, to: seed + PORTION[harness] - 1, stop: false }
    },
    ({ harness, from: start, to }, tally) => {
      tallies.set(harness, add(tallyFor(harness), tally))
      given.set(harness, (given.get(harness) ?? 0) - (to - start + 1))
      for (const { seed, cause } of tally.failures) {
        say(`${harness} ${seed} FAILED at ${version}: ${cause}`)
        say(`  again: ${again(harness, seed)}`)
        writeFileSync(join(dir, `${version}-${harness}-${seed}.txt`), `${again(harness, seed)}\n${cause}\n`)
      }
    },
  )
  clearInterval(everyMinute)

  say(`the end, after ${passedMinutes().toFixed(1)} minutes, commit ${version}`)
  const all = [...tallies.values()].reduce(add, NOTHING)
  for (const harness of HARNESSES) {
    for (const line of marksOf(tallyFor(harness))) say(`${harness} ${line}`)
  }
  for (const line of summary()) say(line)
  for (const harness of HARNESSES) {
    for (const { seed, cause } of tallyFor(harness).failures.slice(0, 10)) {
      if (cause.startsWith('one of the seeds')) continue
      const shrunk = await shrink(harness, seed, 200)
      if (shrunk === null) continue
      const { part, played } = shrunk
      const told = [`${again(harness, seed)}${optionsOf(part)}`, ...played.lines, played.failure]
      appendFileSync(join(dir, `${version}-${harness}-${seed}.txt`), `shrunk: ${told.join('\n')}\n`)
    }
  }
  const missing = missingMarks(new Set(all.marks.flatMap(([name, count]) => (count > 0 ? [name] : []))))
  for (const name of missing) say(`the mark ${name} has no hits: what it stands for was not tested`)
  say(`${all.passed} passed, ${all.failures.length} failed`)
  return all.failures.length > 0 || all.passed === 0 || (marksMatter && missing.length > 0) ? 1 : 0
}

const averageMs = (harness: Harness, tally: Tally): number =>
  seedsOf(tally) === 0 ? 3000 / PORTION[harness] : tally.ms / seedsOf(tally)
