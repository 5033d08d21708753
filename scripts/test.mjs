// `npm test`: everything that guards the main branch, stage by stage; all stages run even if one fails. A skipped test fails its
// stage. Ends with one line of totals.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { npm, playwrightTests, runStages, top, vitestTests } from './stages.mjs'

/** Every commit walks seeds of its own, and the same ones each time. */
function seedsOfThisCommit() {
  const { stdout, status } = spawnSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: top, encoding: 'utf8' })
  const first = status === 0 ? Number.parseInt(stdout, 16) : 1
  return `${first}-${first + 999_999}`
}

/** Mutants that die within seconds; all of them: `npm run sim -- --mutations`. */
const SMOKE =
  'ack-before-durable,newleader-acked-early,half-is-a-quorum,no-session-nonce,epoch-not-raised,delivered-before-durable'

const stages = [
  { name: 'check', command: npm('check') },
  {
    name: 'vitest',
    command: ['npx', 'vitest', 'run', '--reporter=default', '--reporter=json', '--outputFile.json=out/vitest.json'],
    count: vitestTests,
  },
  { name: 'lives', command: npm('sim', '--', '--seeds', seedsOfThisCommit(), '--minutes', '0.5') },
  {
    name: 'lives with clients',
    command: npm('sim', '--', '--profile', 'tree', '--seeds', seedsOfThisCommit(), '--minutes', '0.5'),
  },
  {
    name: 'lives with tasks',
    command: npm('sim', '--', '--profile', 'tasks', '--seeds', seedsOfThisCommit(), '--minutes', '1'),
  },
  { name: 'walks', command: npm('sim', '--', '--walk', '--seeds', seedsOfThisCommit(), '--minutes', '1') },
  { name: 'small world', command: npm('sim', '--', '--exhaustive') },
  { name: 'mutants', command: npm('sim', '--', '--mutations', '--mutation', SMOKE) },
  {
    name: 'mutants of the small world',
    command: npm(
      'sim',
      '--',
      '--mutations',
      '--exhaustive',
      '--mutation',
      'followers-may-be-ahead,history-committed-early',
    ),
  },
  { name: 'branches of the core', command: npm('sim', '--', '--coverage') },
  {
    name: 'browser',
    // Without what takes minutes, and what the headless shell from npm cannot do: see `npm run test:full`.
    command: npm('test:browser', '--', '--grep-invert', '@slow|@whole-browser'),
    count: playwrightTests,
  },
  { name: 'package', command: npm('test:package') },
]

rmSync(join(top, 'out'), { recursive: true, force: true })
mkdirSync(join(top, 'out'), { recursive: true })
process.exitCode = runStages('npm test', stages)
