import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** The command line, as a job runs it. */
function sim(...args: readonly string[]) {
  const { status, stdout } = spawnSync('npx', ['tsx', 'test/simulation/main.ts', ...args], { encoding: 'utf8' })
  return { status, lines: stdout.trimEnd().split('\n') }
}

test('a replica that stops for no reason once in some hundreds turns the job red', { timeout: 120_000 }, () => {
  const { status, lines } = sim('--mutation', 'canary', '--walk', '--seeds', '1-400')
  expect(status).toBe(1)
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? '') ?? []
  expect(Number(passed)).toBeGreaterThan(Number(failed))
  expect(Number(failed)).toBeGreaterThan(0)
  expect(lines.some((line) => /^seed \d+ failed at commit \S+: Error: canary/.test(line))).toBe(true)
  expect(sim('--walk', '--seeds', '1-400').status).toBe(0)
})

test.each([
  { harness: ['--profile', 'zab'], seeds: '1-300' },
  { harness: ['--walk'], seeds: '1-2000' },
])(
  'a failure of $harness is shrunk, and what is left fails the same way',
  { timeout: 120_000 },
  ({ harness, seeds }) => {
    const mutant = ['--mutation', 'no-truncation', ...harness]
    const found = sim(...mutant, '--seeds', seeds, '--stop').lines.join('\n')
    const seed = /seed (\d+) failed/.exec(found)?.[1] ?? 'none'
    const shrunk = sim(...mutant, '--shrink', seed)
    expect(shrunk.status).toBe(1)
    const [, before, after] = /: (\d+) faults shrunk to (\d+) in/.exec(shrunk.lines.join('\n')) ?? []
    expect(Number(after)).toBeLessThan(Number(before))
    const [, only] = /--only '([^']*)'/.exec(shrunk.lines.join('\n')) ?? []
    const [, shape] = /--shape '([^']*)'/.exec(shrunk.lines.join('\n')) ?? []
    const part = [...mutant, '--trace', seed, '--only', only ?? '', ...(shape === undefined ? [] : ['--shape', shape])]
    const again = sim(...part)
    expect(again.status).toBe(1)
    // The same trace to the letter, up to the failure.
    expect(shrunk.lines.slice(0, again.lines.length - 1)).toEqual(again.lines.slice(0, -1))
    // And not without what is left.
    expect(sim(...mutant, '--trace', seed, '--only', 'none').status).toBe(0)
  },
)
