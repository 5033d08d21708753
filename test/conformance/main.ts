import { fileURLToPath } from 'node:url'
import { run } from './run.ts'
import { loadScenarios } from './scenario.ts'

const folder = process.argv[2] ?? fileURLToPath(new URL('vectors', import.meta.url))
/** One that takes longer waits for something that never comes. */
const PATIENCE = 20_000

let failed = 0
const scenarios = loadScenarios(folder)
if (scenarios.length === 0) {
  failed++
  console.log(`${folder}: no vectors are there`)
}
for (const scenario of scenarios) {
  const found = await Promise.race([run(scenario).catch(told), tooLong()])
  if (found.length === 0) continue
  failed++
  console.log(`${scenario.name}: ${found.join('\n  ')}`)
}
console.log(`${Math.max(0, scenarios.length - failed)} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

function told(error: unknown): string[] {
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
}

function tooLong(): Promise<string[]> {
  return new Promise((resolve) => {
    setTimeout(() => resolve([`not finished after ${PATIENCE} ms`]), PATIENCE).unref()
  })
}
