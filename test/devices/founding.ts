import { strict as assert } from 'node:assert'
import { type Ground, optionsOf, withChromiums } from './ground.ts'
import { inspectAll, openKeeper, sleep, until, write } from './in-tab.ts'
import { killSignals, serveSignal, signalUrl } from './stations.ts'

/** Two servers, two first callers; and a founder that dies before it has founded. */
export async function founding(ground: Ground): Promise<void> {
  const { network, report } = ground
  const urls = [signalUrl(network, 's1'), signalUrl(network, 's2')]
  await report.check('two servers and two devices that come first at once: one ensemble', async () => {
    const both = [await serveSignal(network, 's1'), await serveSignal(network, 's2')]
    await withChromiums(ground, ['d1', 'd2'], async (devices) => {
      const tabs = await Promise.all(devices.map((device) => device.open()))
      await Promise.all([
        openKeeper(tabs[0]!, optionsOf('first', ...urls)),
        openKeeper(tabs[1]!, optionsOf('first', ...urls.toReversed())),
      ])
      const all = await inspectAll(tabs)
      assert.equal(new Set(all.map(({ ensembleId }) => ensembleId)).size, 1)
      assert.equal(both[0]!.granted + both[1]!.granted, 1)
      for (const tab of tabs) await write(tab, `/from-${tab.device}`)
    })
  })
  await killSignals()
  await report.check(
    'the founder is killed between grant and confirmation: the next one founds when the grant has run out',
    async () => {
      const server = await serveSignal(network, 's1', 0, 5000)
      await withChromiums(ground, ['d1', 'd2'], async ([first, second]) => {
        assert.ok(first !== undefined && second !== undefined)
        const [a, b] = [await first.open(), await second.open()]
        openKeeper(a, optionsOf('late', urls[0]!)).catch(() => undefined)
        while (server.granted === 0) await sleep(1)
        first.kill()
        const began = Date.now()
        await openKeeper(b, optionsOf('late', urls[0]!))
        await write(b, '/founded')
        console.log(`        founded ${Date.now() - began} ms after the first one died`)
        await until('a second grant', 1000, async () => (server.granted === 2 ? null : String(server.granted)))
      })
    },
  )
}
