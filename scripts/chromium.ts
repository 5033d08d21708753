// Prints which Chromium the tests will use; exits with one sentence if there is none. `--whole`: those tests that no headless shell will do for.
import { spawnSync } from 'node:child_process'
import { findChromium, findWholeChromium } from '../test/browser/chromium.ts'

try {
  const { executablePath, env, source } = await (process.argv.includes('--whole')
    ? findWholeChromium()
    : findChromium())
  const { stdout, stderr, status } = spawnSync(executablePath, ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (status !== 0) throw new Error(`${executablePath} does not start: ${stderr}`)
  console.log(`${stdout.trim()} (${source}: ${executablePath})`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
