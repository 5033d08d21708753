// npm run sim -- --seeds A-B [--minutes M] [--profile zab|tree] [--trace SEED]
// npm run sim -- --walk [--seeds A-B] [--minutes M] [--trace SEED] [--stop]
// npm run sim -- --exhaustive [--crashes N] [--leads N] [--follows N] [--transactions N]
// npm run sim -- --mutations [--mutation NAME,…]
import { exhaust } from './exhaustive.ts'
import { live } from './life.ts'
import { walkOnce } from './walk.ts'

const args = process.argv.slice(2)
const option = (name: string): string | undefined => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? undefined : args[at + 1]
}

if (args.includes('--mutations')) {
  const { mutateAll } = await import('./mutate.ts')
  process.exit(await mutateAll(option('mutation')?.split(',') ?? []))
}
if (args.includes('--exhaustive')) process.exit(exhaustAll())
if (args.includes('--walk')) process.exit(walkAll())

const profile = option('profile') === 'tree' ? 'tree' : 'zab'
const trace = option('trace')
if (trace !== undefined) {
  const report = await live(Number(trace), { makeLog: true, profile })
  for (const line of report.log) console.log(line)
  console.log(report.failure ?? 'clean')
  console.log(`${report.failure === null ? 1 : 0} passed, ${report.failure === null ? 0 : 1} failed`)
  process.exit(report.failure === null ? 0 : 1)
}

const [from = 1, to = 200] = (option('seeds') ?? '1-200').split('-').map(Number)
const minutes = Number(option('minutes') ?? 'Infinity')
const began = performance.now()
const marks = new Map<string, number>()
let passed = 0
let failed = 0
let virtual = 0
let committed = 0
let events = 0
for (let seed = from; seed <= to; seed++) {
  if (performance.now() - began > minutes * 60_000) break
  const report = await live(seed, { profile })
  virtual += report.virtualMs
  committed += report.committed
  events += report.events
  for (const [name, count] of report.marks) marks.set(name, (marks.get(name) ?? 0) + count)
  if (report.failure === null) passed++
  else {
    failed++
    console.log(`seed ${seed} failed: ${report.failure}\n  again: npm run sim -- --profile ${profile} --trace ${seed}`)
    if (args.includes('--stop')) break
  }
}
const seconds = (performance.now() - began) / 1000
for (const [name, count] of [...marks].sort()) console.log(`  ${name} ${count}`)
console.log(
  `${((passed + failed) / seconds).toFixed(1)} seeds/s, ${(virtual / 3_600_000).toFixed(1)} virtual hours in ${seconds.toFixed(0)} s, ${events} events, ${committed} committed`,
)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

/** Every interleaving within the bounds. */
function exhaustAll(): number {
  const bound = (name: string, otherwise: number): number => Number(option(name) ?? otherwise)
  const bounds = {
    peers: 3,
    transactions: bound('transactions', 1),
    crashes: bound('crashes', 0),
    leads: bound('leads', 2),
    follows: bound('follows', 2),
  }
  const began = performance.now()
  try {
    const { states, whole } = exhaust(bounds)
    const seconds = ((performance.now() - began) / 1000).toFixed(0)
    console.log(
      `${JSON.stringify(bounds)}: ${states} states, ${whole ? 'the whole space' : 'not the whole space'}, ${seconds} s`,
    )
    console.log(whole ? '1 passed, 0 failed' : '0 passed, 1 failed')
    return whole ? 0 : 1
  } catch (error) {
    console.log(String((error as Error)?.stack ?? error))
    console.log('0 passed, 1 failed')
    return 1
  }
}

/** Untimed walks with a leader oracle. */
function walkAll(): number {
  const trace = option('trace')
  if (trace !== undefined) {
    const report = walkOnce(Number(trace))
    for (const line of report.trail) console.log(line)
    console.log(report.failure ?? 'clean')
    return report.failure === null ? 0 : 1
  }
  const [from = 1, to = 20_000] = (option('seeds') ?? '1-20000').split('-').map(Number)
  const until = performance.now() + Number(option('minutes') ?? 'Infinity') * 60_000
  const marks = new Map<string, number>()
  const began = performance.now()
  let [passed, failed, steps, committed] = [0, 0, 0, 0]
  for (let seed = from; seed <= to && performance.now() < until; seed++) {
    const report = walkOnce(seed)
    steps += report.steps
    committed += report.committed
    for (const [name, count] of report.marks) marks.set(name, (marks.get(name) ?? 0) + count)
    if (report.failure === null) passed++
    else {
      failed++
      console.log(`walk ${seed} failed: ${report.failure}\n  again: npm run sim -- --walk --trace ${seed}`)
      if (failed >= 10 || args.includes('--stop')) break
    }
  }
  const seconds = (performance.now() - began) / 1000
  for (const [name, count] of [...marks].sort()) console.log(`  ${name} ${count}`)
  console.log(
    `${((passed + failed) / seconds).toFixed(0)} walks/s, ${steps} steps in ${seconds.toFixed(0)} s, ${committed} committed`,
  )
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}
