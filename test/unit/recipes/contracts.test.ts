import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CONTRACTS } from '../../recipe-contracts/contracts.ts'
import { OURS } from '../../recipe-contracts/implementations.ts'
import { NAIVE } from '../../recipe-contracts/naive.ts'
import { forgetful, type Stage } from '../../recipe-contracts/stage.ts'
import { Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(41)
})
afterEach(() => tabs.close())

async function stageOf(of: Tabs): Promise<Stage> {
  const { clock } = await of.open(60_000)
  return {
    pass: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
    page: async () => {
      const tab = await of.open(60_000)
      return { ...tab, ...forgetful(tab.client), die: () => tab.client.close() }
    },
  }
}

/** Each promise, kept by ours, and broken in the named way by a naive implementation: so the test can fail. */
describe.each(CONTRACTS)('$name', ({ run, pitfall }) => {
  test('holds', async () => {
    await tabs.until(run(await stageOf(tabs), OURS, pitfall))
  })

  test(`is broken by the naive one: ${pitfall}`, async () => {
    await expect(tabs.until(run(await stageOf(tabs), NAIVE, pitfall))).rejects.toThrow(pitfall)
  })
})
