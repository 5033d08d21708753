import { strict as assert } from 'node:assert'
import { type Ground, optionsOf, withChromiums } from './ground.ts'
import { inspect, openKeeper, paths, settled, until, write } from './in-tab.ts'
import { serveSignal, signalUrl } from './stations.ts'

/** What an ensemble needs its signaling server for, and what not. */
export async function servers(ground: Ground): Promise<void> {
  const { network, report } = ground
  const options = optionsOf('known', signalUrl(network, 's1'))
  const server = await serveSignal(network, 's1')
  await withChromiums(ground, ['d1', 'd2', 'd3'], async ([one, two, three]) => {
    assert.ok(one !== undefined && two !== undefined && three !== undefined)
    const [a, b] = [await one.open(), await two.open()]
    await Promise.all([a, b].map((tab) => openKeeper(tab, options)))

    await report.check('the signaling server is killed: nobody notices', async () => {
      await server.kill()
      const told = async () =>
        (await a.evaluate(() => window.notices.length)) + (await b.evaluate(() => window.notices.length))
      const before = await told()
      await write(a, '/without-a')
      await write(b, '/without-b')
      for (const tab of [a, b]) assert.ok((await paths(tab)).includes('/without-b'))
      assert.equal(await told(), before)
    })
    await report.check(
      'without a server a newcomer beside one member is introduced to the other device by it',
      async () => {
        const c = await one.open()
        await openKeeper(c, options)
        assert.ok((await paths(c)).includes('/without-b'))
        const { replica } = await inspect(b)
        await until('a link to the other device', 30_000, async () => {
          const { links } = await inspect(c)
          return links.some(({ peer, state }) => peer === replica && state === 'open') ? null : JSON.stringify(links)
        })
        await settled([a, b, c])
      },
    )
    await report.check('the server is started again, and knows nothing: a newcomer joins what there is', async () => {
      await serveSignal(network, 's1', 60_000)
      const d = await three.open()
      await openKeeper(d, options)
      assert.equal((await inspect(d)).ensembleId, (await inspect(a)).ensembleId)
      assert.ok((await paths(d)).includes('/without-a'))
    })
  })
}
