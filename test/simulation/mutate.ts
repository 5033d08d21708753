import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { SMALL_WORLD } from './small-mutants.ts'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')
const tsx = join(top, 'node_modules/tsx/dist/cli.mjs')

export interface Verdict {
  readonly mutant: Mutant
  readonly killed: boolean
  /** Walks or seeds that it took. */
  readonly took: string
  readonly seconds: number
  readonly by: string
}

/** A copy of the sources with the mutant in it. White space in an edit may be any. An edit that fits nowhere, or in several places, is an error: the list has to follow the code. */
function plant(mutant: Mutant): string {
  const dir = join(top, 'out/mutants', `${mutant.name}-${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(join(dir, 'test'), { recursive: true })
  cpSync(join(top, 'src'), join(dir, 'src'), { recursive: true })
  cpSync(join(top, 'test/scenarios'), join(dir, 'test/scenarios'), { recursive: true })
  cpSync(join(top, 'test/simulation'), join(dir, 'test/simulation'), { recursive: true })
  if (mutant.harness === 'test') {
    for (const more of ['test/unit', 'test/standalone.ts', 'tsconfig.base.json'])
      cpSync(join(top, more), join(dir, more), { recursive: true })
  }
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }\n')
  for (const { file, find, replace } of mutant.edits) {
    const path = join(dir, file)
    const text = readFileSync(path, 'utf8')
    const place = anyWhiteSpace(find)
    if (text.match(place)?.length !== 1)
      throw new Error(`mutant ${mutant.name}: in ${file} there is not exactly one: ${find}`)
    writeFileSync(
      path,
      text.replace(place, () => replace),
    )
  }
  return dir
}

/** Finds the text, with any white space where it has some. */
export function anyWhiteSpace(find: string): RegExp {
  const words = find.trim().split(/\s+/)
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g')
}

/** The command line `args` on the sources of the mutant; the exit code is theirs. */
export function playMutant(name: string, args: readonly string[]): Promise<number> {
  const mutant = MUTANTS.find((one) => one.name === name)
  if (mutant === undefined) throw new Error(`--mutation ${name}: no such mutant`)
  const dir = plant(mutant)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsx, join(dir, 'test/simulation/main.ts'), ...args], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => {
      rmSync(dir, { recursive: true, force: true })
      resolve(code ?? 1)
    })
  })
}

function argsFor({ harness, story, budget }: Mutant): string[] {
  if (harness === 'story') return ['--story', story ?? '']
  const seeds = ['--seeds', `1-${budget}`, '--stop']
  return harness === 'walk' ? ['--walk', ...seeds] : ['--profile', harness, ...seeds]
}

interface Ran {
  readonly code: number | null
  readonly out: string
}

const run = (dir: string, args: readonly string[]): Promise<Ran> =>
  outcome(dir, [tsx, join(dir, 'test/simulation/main.ts'), ...args])

function outcome(dir: string, command: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: dir })
    let out = ''
    const hear = (bytes: Buffer): void => {
      out += bytes.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out }))
  })
}

/** Runs the harness on the mutant until it notices, or its budget is used up. It has noticed nothing if the sources themselves fail that seed. */
async function hunt(mutant: Mutant, exhaustive: boolean): Promise<Verdict> {
  if (mutant.harness === 'test') return test(mutant)
  const dir = plant(mutant)
  const began = performance.now()
  const { harness } = mutant
  const { code, out } = await run(
    dir,
    exhaustive ? ['--exhaustive', ...(SMALL_WORLD[mutant.name] ?? [])] : argsFor(mutant),
  )
  const seconds = (performance.now() - began) / 1000
  rmSync(dir, { recursive: true, force: true })
  const counts = /(\d+) passed, (\d+) failed/.exec(out)
  if (counts === null) throw new Error(`mutant ${mutant.name} did not run:\n${out.slice(-2000)}`)
  const by = /(?:seed|world) (\d+) failed.*?: (.*)/.exec(out)
  let killed = code === 1 && Number(counts[2]) > 0
  let cause = (by?.[2] ?? '').slice(0, 100)
  if (killed && !exhaustive && harness !== 'story' && by !== null) {
    const harnessArgs = harness === 'walk' ? ['--walk'] : ['--profile', harness]
    if ((await run(top, [...harnessArgs, '--trace', by[1] ?? ''])).code !== 0) {
      killed = false
      cause = `nobody: without the mutant seed ${by[1]} fails too`
    }
  }
  const unit = { walk: 'walks', story: 'story', test: 'tests', zab: 'seeds', tree: 'seeds', tasks: 'seeds' }[harness]
  const took = exhaustive ? `${by?.[1] ?? 'all'} states` : `${Number(counts[1]) + Number(counts[2])} ${unit}`
  const steps = /seeds, (\d+) steps/.exec(out)?.[1]
  return { mutant, killed, took: steps === undefined ? took : `${took} (${steps} steps)`, seconds, by: cause }
}

/** The unit tests of one file: it must pass on the sources, and fail on the mutant's copy. */
async function test(mutant: Mutant): Promise<Verdict> {
  const began = performance.now()
  const file = `test/unit/${mutant.story}.test.ts`
  const vitest = (dir: string): Promise<Ran> =>
    outcome(dir, [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--root', dir, '--no-color', file])
  const dir = plant(mutant)
  const { code, out } = await vitest(dir)
  rmSync(dir, { recursive: true, force: true })
  const by = /FAIL +\S+ > (.*)/.exec(out)?.[1]
  const sound = code === 0 || (await vitest(top)).code === 0
  const seconds = (performance.now() - began) / 1000
  return { mutant, killed: code === 1 && by !== undefined && sound, took: 'one file of tests', seconds, by: by ?? '' }
}

/** `names` empty: all; `exhaustive`: those that the small world is large enough for. Two at a time. The exit code. */
export async function mutateAll(names: readonly string[], exhaustive: boolean): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) =>
    names.length === 0 ? !exhaustive || name in SMALL_WORLD : names.includes(name),
  )
  const waiting = [...chosen]
  let killed = 0
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await hunt(mutant, exhaustive)
      if (verdict.killed) killed++
      const how = verdict.killed
        ? `killed in ${verdict.took}, ${verdict.seconds.toFixed(1)} s, by ${verdict.by}`
        : `SURVIVED ${verdict.took} ${verdict.by}`
      console.log(`${mutant.name}: ${how}`)
    }
  }
  await Promise.all([work(), work()])
  console.log(`${killed} passed, ${chosen.length - killed} failed`)
  return killed === chosen.length && chosen.length > 0 ? 0 : 1
}
