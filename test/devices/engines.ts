import { strict as assert } from 'node:assert'
import type { TaskType } from '../../src/index.ts'
import type { Tab } from './device.ts'
import { startFirefox } from './firefox.ts'
import { type Ground, optionsOf, withChromiums } from './ground.ts'
import { converged, inspect, openKeeper, paths, settled, until, write } from './in-tab.ts'
import { serveSignal, signalUrl } from './stations.ts'

interface Jobs {
  double: TaskType<number, { doubled: number; by: number }>
}

/** Chromium and Firefox in one ensemble. */
export async function engines(ground: Ground): Promise<void> {
  const { network, origin, report } = ground
  await serveSignal(network, 's1')
  const firefox = await startFirefox(network, 'd4', origin)
  try {
    await withChromiums(ground, ['d1', 'd2'], async (devices) => {
      const f = await firefox.open()
      const tabs = [f, ...(await Promise.all(devices.map((device) => device.open())))]
      const c = tabs[1]!
      await report.check('Firefox and Chromium form one ensemble, and each one writes', async () => {
        for (const tab of tabs) await openKeeper(tab, optionsOf('mixed', signalUrl(network, 's1')))
        await settled(tabs)
        for (const tab of tabs) await write(tab, `/from-${tab.device}`)
        for (const tab of tabs) for (const { device } of tabs) assert.ok((await paths(tab)).includes(`/from-${device}`))
      })
      await report.check('each of them leads once, and serves the others', async () => {
        const led = new Set<string>()
        await until('Firefox and Chromium to have led', 90_000, async () => {
          const leader = await settled(tabs)
          led.add(leader === f ? 'Firefox' : 'Chromium')
          for (const tab of tabs) await write(tab, `/led-${led.size}-${Date.now()}-${tab.device}`)
          if (led.size === 2) return null
          await leader.evaluate(() => window.keeper.stepDown().catch(() => undefined))
          return [...led].join()
        })
        await converged(tabs, [])
      })
      await report.check('a task of one is done by the other', async () => {
        assert.deepEqual(await doneBy(c, f), { doubled: 42, by: (await inspect(f)).replica })
        assert.deepEqual(await doneBy(f, c), { doubled: 42, by: (await inspect(c)).replica })
      })
    })
  } finally {
    await firefox.close()
  }
}

/** What became of a task that `from` adds and `to` alone works on. */
async function doneBy(from: Tab, to: Tab): Promise<unknown> {
  const name = `from-${from.device}`
  await to.evaluate(async (queue: string) => {
    const { replica } = await window.keeper.inspect()
    await window.keeper
      .queue<Jobs>(queue)
      .worker({ double: async (input: number) => ({ doubled: input * 2, by: Number(replica) }) })
  }, name)
  return await from.evaluate(async (queue: string) => {
    const task = await window.keeper.queue<Jobs>(queue).add('double', 21)
    return await task.result({ timeout: 30_000 })
  }, name)
}
