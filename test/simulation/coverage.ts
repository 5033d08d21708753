import { readdirSync, readFileSync } from 'node:fs'
import { branchesOf } from './branches.ts'

const SCENARIOS = new URL('../scenarios/', import.meta.url)
const REASONS = new URL('./uncovered.txt', import.meta.url)
const AIM = 0.98

/**
 * Branch coverage of src/zab by scenarios, walks, lives and the small world together. Each branch that none of them takes has its reason in
 * uncovered.txt, two lines each: where it begins, and why. One without a reason is a failure. The exit code.
 */
export async function cover(): Promise<number> {
  const { total, missed } = await branchesOf(new URL('../../src/zab/', import.meta.url), play)
  const reasons = readReasons()
  const unexplained = missed.filter((line) => !reasons.has(line))
  for (const line of unexplained) console.log(`without a reason: ${line}`)
  for (const line of reasons.keys()) if (!missed.includes(line)) console.log(`taken after all, or gone: ${line}`)
  const share = 1 - missed.length / total
  console.log(
    `${total} branches, ${missed.length} not taken, ${unexplained.length} of them without a reason: ${(share * 100).toFixed(2)} %`,
  )
  const passed = unexplained.length === 0 && share >= AIM
  console.log(passed ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return passed ? 0 : 1
}

async function play(): Promise<void> {
  const { play: tell } = await import('../scenarios/script.ts')
  for (const name of readdirSync(SCENARIOS)) {
    if (name.endsWith('.txt')) tell(readFileSync(new URL(name, SCENARIOS), 'utf8'))
  }
  const { playPortion } = await import('./portion.ts')
  for (const [harness, to] of [
    ['walk', 5000],
    ['zab', 150],
    ['tree', 30],
  ] as const) {
    const { failures } = await playPortion({ harness, from: 1, to, stop: true })
    if (failures[0] !== undefined) throw new Error(`${harness} ${failures[0].seed}: ${failures[0].cause}`)
  }
}

function readReasons(): Map<string, string> {
  const [, ...parts] = readFileSync(REASONS, 'utf8').split('\n\n')
  return new Map(
    parts.map((part) => {
      const [line = '', ...why] = part.trim().split('\n')
      if (why.length === 0) throw new Error(`uncovered.txt gives no reason for: ${line}`)
      return [line, why.join(' ')]
    }),
  )
}
