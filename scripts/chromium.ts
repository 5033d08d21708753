// Prints which Chromium the tests will use; exits with one sentence if there is none.
import { spawnSync } from 'node:child_process'
import { findChromium } from '../test/browser/chromium.ts'

try {
  const { executablePath, env, source } = await findChromium()
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
