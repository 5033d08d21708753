// What runs the stages of `npm test` and `npm run test:full`.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

export const top = join(dirname(fileURLToPath(import.meta.url)), '..')
export const npm = (...args) => ['npm', 'run', '--silent', ...args]
export const readReport = (name) => JSON.parse(readFileSync(join(top, `out/${name}.json`), 'utf8'))

/** The beginning of an error, without colours, on one line. */
const inShort = (message) =>
  stripVTControlCharacters(message ?? 'no error given')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)

/** Of the run of Playwright that has just ended. */
export function playwrightTests() {
  const { stats, suites } = readReport('playwright')
  const all = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(all)]
  const failed = suites
    .flatMap(all)
    .filter((spec) => !spec.ok)
    .map((spec) => {
      const errors = spec.tests.flatMap((test) => test.results.flatMap((result) => result.errors ?? []))
      return `${spec.file}:${spec.line} ${spec.title}: ${inShort(errors[0]?.message)}`
    })
  return { passed: stats.expected, skipped: stats.skipped + stats.flaky, failed }
}

/** Of the run of Vitest that has just ended. */
export function vitestTests() {
  const report = readReport('vitest')
  const failed = report.testResults.flatMap((file) => [
    ...file.assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => `${relative(top, file.name)} ${test.fullName}: ${inShort(test.failureMessages[0])}`),
    // A file that could not even be read has no tests.
    ...(file.status === 'failed' && file.assertionResults.length === 0
      ? [`${relative(top, file.name)}: ${inShort(file.message)}`]
      : []),
  ])
  return { passed: report.numPassedTests, skipped: report.numPendingTests + report.numTodoTests, failed }
}

function run({ name, command, count }) {
  console.log(`\n── ${name}: ${command.join(' ')}`)
  const start = performance.now()
  const { status } = spawnSync(command[0], command.slice(1), { cwd: top, stdio: 'inherit' })
  const seconds = Math.round((performance.now() - start) / 1000)
  let tests = { passed: 0, skipped: 0, failed: [] }
  try {
    tests = count?.() ?? tests
  } catch (error) {
    console.error(`${name} left no report: ${error.message}`)
    return { name, ok: false, seconds, tests }
  }
  if (tests.skipped > 0) console.error(`${name}: ${tests.skipped} tests were skipped, which counts as a failure.`)
  return { name, ok: status === 0 && tests.skipped === 0, seconds, tests }
}

/** Runs all stages, even if one fails; names at the end what failed, and gives one line of totals. Gives the exit code. */
export function runStages(name, stages) {
  const results = stages.map(run)
  console.log('')
  for (const { name, ok, seconds, tests } of results) {
    console.log(`${ok ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`)
    for (const test of tests.failed.slice(0, 20)) console.log(`          ${test}`)
  }
  const failed = results.filter((one) => !one.ok)
  const tests = results.reduce((sum, one) => sum + one.tests.passed, 0)
  const seconds = results.reduce((sum, one) => sum + one.seconds, 0)
  console.log(
    `${name}: ${results.length - failed.length} of ${results.length} stages passed${tests > 0 ? `, ${tests} tests passed` : ''}, ${seconds} s` +
      (failed.length > 0 ? `; failed: ${failed.map((one) => one.name).join(', ')}` : ''),
  )
  return failed.length > 0 ? 1 : 0
}
