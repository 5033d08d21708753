// npm run sim -- [--profile zab|tree|hostile|tasks] [--seeds A-B] [--minutes M] [--jobs N] [--stop] [--mutation NAME]
// npm run sim -- --walk [--seeds A-B] [--minutes M] [--jobs N] [--stop] [--mutation NAME]
// npm run sim -- [--profile NAME | --walk] --trace SEED [--only FAULT,…] [--shape JSON]
// npm run sim -- [--profile NAME | --walk] --shrink SEED
// npm run sim -- --soak | --nightly [--minutes M] [--jobs N] [--from SEED] [--dir DIR]
// npm run sim -- --exhaustive [--crashes N] [--leads N] [--follows N] [--transactions N] [--step-downs N] [--resets N]
// npm run sim -- --story NAME
// npm run sim -- --coverage
// npm run sim -- --mutations [--exhaustive] [--mutation NAME,…]
import { CommandLine } from './command-line.ts'
import { commit } from './commit.ts'
import { exhaust } from './exhaustive.ts'
import { again, type Harness, isHarness } from './harness.ts'
import { mutateAll, playMutant } from './mutate.ts'
import { playSeeds } from './seeds.ts'
import { optionsOf, type Part, playPart, shrink } from './shrink.ts'
import { soak } from './soak.ts'
import { tellStory } from './story.ts'

const line = new CommandLine(process.argv.slice(2))

async function run(): Promise<number> {
  const mutation = line.value('mutation')
  if (line.has('mutations')) return mutateAll(mutation?.split(',') ?? [], line.has('exhaustive'))
  if (mutation !== undefined) return playMutant(mutation, line.without('mutation'))
  if (line.has('exhaustive')) return exhaustAll()
  if (line.has('coverage')) return (await import('./coverage.ts')).cover()
  const story = line.value('story')
  if (story !== undefined) return tellStory(story)
  if (line.has('soak') || line.has('nightly')) {
    return soak({
      minutes: line.number('minutes', line.has('soak') ? 120 : 20),
      marksMatter: line.has('nightly'),
      jobs: line.number('jobs', 2),
      from: line.value('from') === undefined ? undefined : line.number('from', 1),
      dir: line.value('dir') ?? 'soak',
    })
  }
  const harness = chosen()
  const trace = line.value('trace')
  if (line.value('shrink') !== undefined) return shrinkOne(harness, line.number('shrink', 1))
  return trace === undefined ? playSeeds(harness, line) : show(harness, Number(trace))
}

function chosen(): Harness {
  const name = line.has('walk') ? 'walk' : (line.value('profile') ?? 'zab')
  if (!isHarness(name)) throw new Error(`--profile ${name}: no such profile`)
  return name
}

async function show(harness: Harness, seed: number): Promise<number> {
  const only = line.value('only')?.split(',')
  const shape = line.value('shape')
  const part: Part = {
    ...(only === undefined ? {} : { only }),
    ...(shape === undefined ? {} : { shape: JSON.parse(shape) }),
  }
  const { lines, failure } = await playPart(harness, seed, part)
  for (const line of lines) console.log(line)
  console.log(failure ?? 'clean')
  console.log(failure === null ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return failure === null ? 0 : 1
}

async function shrinkOne(harness: Harness, seed: number): Promise<number> {
  const shrunk = await shrink(harness, seed)
  if (shrunk === null) {
    console.log(`seed ${seed} does not fail at commit ${commit()}\n1 passed, 0 failed`)
    return 0
  }
  const { part, played, faults, runs } = shrunk
  for (const line of played.lines) console.log(line)
  console.log(played.failure)
  console.log(`commit ${commit()}, seed ${seed}: ${faults[0]} faults shrunk to ${faults[1]} in ${runs} runs`)
  console.log(`  again: ${again(harness, seed)}${optionsOf(part)}`)
  console.log('0 passed, 1 failed')
  return 1
}

/** Every interleaving within the bounds. */
function exhaustAll(): number {
  const bounds = {
    peers: 3,
    transactions: line.number('transactions', 1),
    crashes: line.number('crashes', 1),
    leads: line.number('leads', 2),
    follows: line.number('follows', 4),
    stepDowns: line.number('step-downs', 0),
    resets: line.number('resets', 0),
  }
  const began = performance.now()
  const { violation, ...counts } = exhaust(bounds)
  const seconds = (performance.now() - began) / 1000
  console.log(`${JSON.stringify(bounds)}: ${JSON.stringify(counts)}`)
  console.log(
    `${counts.states} states, ${counts.whole ? 'the whole space' : 'not the whole space'}, ${seconds.toFixed(1)} s, ${Math.round(counts.states / seconds)} states/s`,
  )
  for (const step of violation?.trail ?? []) console.log(`  ${step}`)
  if (violation !== null) console.log(`world ${counts.states} failed: ${violation.error.message}`)
  const passed = counts.whole && violation === null
  console.log(passed ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return passed ? 0 : 1
}

process.exit(await run())
