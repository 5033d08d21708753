import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run } from './run.ts'
import { loadScenarios } from './scenario.ts'

const scenarios = loadScenarios(fileURLToPath(new URL('vectors', import.meta.url)))

describe('what Apache ZooKeeper 3.8 answered through its Java client, ours answers through ours', () => {
  test('all recordings are there', () => {
    expect(scenarios.length).toBe(212)
  })

  test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))('$name', async ({ scenario }) => {
    expect(await run(scenario)).toEqual([])
  })
})
