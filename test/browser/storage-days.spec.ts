import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, test } from './fixtures.ts'
import { inspectPuppet, openKeeper, type Puppet, Puppets } from './puppets.ts'

const HOST = '127.0.0.1'

const stateOf = ({ page }: Puppet) => page.evaluate(() => window.keeper.state)
const toldOf = ({ page }: Puppet) => page.evaluate(() => window.told)

async function voters(puppets: Puppets, ensemble: string, count: number): Promise<Puppet[]> {
  const tabs: Puppet[] = []
  for (let i = 0; i < count; i++) {
    const tab = await puppets.open()
    await openKeeper(tab, ensemble)
    tabs.push(tab)
  }
  await expect
    .poll(async () => (await Promise.all(tabs.map(inspectPuppet))).map((one) => one.voters.length), { timeout: 20_000 })
    .toEqual(tabs.map(() => count))
  return tabs
}

const create = ({ page }: Puppet, path: string, data: string | null = null): Promise<void> =>
  page.evaluate((at, with_) => window.keeper.create(at, with_).then(() => undefined), path, data)

const childrenOf = ({ page }: Puppet, path: string) =>
  page.evaluate(async (at) => {
    await window.keeper.sync(at)
    return [...(await window.keeper.getChildren(at)).children].sort()
  }, path)

/** What opening gives: 'open', or the code of the refusal. */
const opening = ({ page }: Puppet, ensemble: string) =>
  page.evaluate(
    (name) =>
      window.tabkeeper.Keeper.open({ ensemble: name }).then(
        async (keeper) => {
          await keeper.close()
          return 'open'
        },
        (error) => String(error.code),
      ),
    ensemble,
  )

let puppets: Puppets
test.beforeEach(async ({ server }) => {
  puppets = new Puppets(server.origin)
  await puppets.start()
})
test.afterEach(() => puppets.end())

test('the disk is full: every page says so, nothing acknowledged is lost, and with room again one goes on where it was @slow', async () => {
  test.setTimeout(150_000)
  const tabs = await voters(puppets, 'full', 3)
  const [writer] = tabs as [Puppet, Puppet, Puppet]
  await create(writer, '/w')
  const session = await writer.page.createCDPSession()
  const { usage } = await session.send('Storage.getUsageAndQuota', { origin: puppets.origin })
  await session.send('Storage.overrideQuotaForOrigin', { origin: puppets.origin, quotaSize: usage + 3_000_000 })
  const { acked, code } = await writer.page.evaluate(async () => {
    const done: string[] = []
    // Not compressible.
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    for (let n = 0; n < 1000; n++) {
      const failed = await window.keeper.create(`/w/${n}`, bytes).then(
        () => null,
        (error) => String(error.code),
      )
      if (failed !== null) return { acked: done, code: failed }
      done.push(String(n))
    }
    return { acked: done, code: null }
  })
  console.log(`full: ${acked.length} writes of 60 kB were acknowledged, then ${code}`)
  expect(code).toMatch(/ConnectionLoss|SessionExpired/)
  for (const tab of tabs) {
    await expect.poll(() => stateOf(tab), { timeout: 20_000 }).toBe('lost')
    expect(await toldOf(tab)).toContainEqual(expect.stringMatching(/^StorageFailed: .*[Qq]uota/))
  }
  // As long as there is no room, nobody opens.
  const another = await puppets.open()
  expect(await opening(another, 'full')).toBe('StorageFailed')
  for (const { page } of tabs) await page.close()
  const freed = await another.page.createCDPSession()
  await freed.send('Storage.overrideQuotaForOrigin', { origin: puppets.origin })
  await openKeeper(another, 'full', 10_000)
  await create(another, '/after')
  const there = new Set(await childrenOf(another, '/w'))
  expect(acked.filter((n) => !there.has(n))).toEqual([])
})

test("the site's storage is cleared while tabs run: each says so at once and stops; loaded anew, one begins anew", async () => {
  const tabs = await voters(puppets, 'cleared', 3)
  const [first] = tabs as [Puppet, Puppet, Puppet]
  await create(first, '/gone')
  const session = await first.page.createCDPSession()
  await session.send('Storage.clearDataForOrigin', { origin: puppets.origin, storageTypes: 'all' })
  // Nobody writes: they find out by themselves.
  for (const tab of tabs) {
    await expect.poll(() => stateOf(tab), { timeout: 5_000 }).toBe('lost')
    expect(await toldOf(tab)).toContainEqual(expect.stringMatching(/^StorageFailed/))
  }
  // The browser gave the site new storage and with it new locks; this page's own are the old ones for as long as it lives.
  await first.page.evaluate(() => window.keeper.close())
  expect(await opening(first, 'cleared')).toBe('WorkerFailed')
  for (const { page } of tabs.slice(1)) await page.close()
  await first.page.reload()
  await first.page.waitForFunction(() => 'tabkeeper' in window, { polling: 50 })
  await openKeeper(first, 'cleared')
  expect(await childrenOf(first, '/')).toEqual(['zookeeper'])
})

test('another page deletes the database of one voter: that one stops and says so, the others go on, and it joins as a new replica', async () => {
  const tabs = await voters(puppets, 'deleted', 3)
  const [first, second] = tabs as [Puppet, Puppet, Puppet]
  await create(first, '/kept')
  const { replica } = await inspectPuppet(second)
  await first.page.evaluate(async (id) => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '')
    const name = names.find((one) => one.startsWith('tabkeeper/deleted/') && one.endsWith(`/${id}`)) ?? ''
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name)
      request.onsuccess = () => resolve()
      request.onerror = () => reject(request.error)
    })
  }, replica)
  await expect.poll(() => stateOf(second), { timeout: 5_000 }).toBe('lost')
  expect(await toldOf(second)).toContainEqual(expect.stringMatching(/^StorageFailed/))
  await create(first, '/on')
  await second.page.evaluate(() => window.keeper.close())
  await openKeeper(second, 'deleted')
  const again = await inspectPuppet(second)
  expect(again.replica).not.toBe(replica)
  expect(await childrenOf(second, '/')).toEqual(['kept', 'on', 'zookeeper'])
  await expect
    .poll(async () => [...(await inspectPuppet(first)).voters].sort(), { timeout: 50_000 })
    .toEqual((await Promise.all(tabs.map(inspectPuppet))).map((one) => one.replica).sort())
})

test('one browser is restored from a backup while the others run on: it finds out, votes for nobody, and counts again once it has everything @slow', async ({
  server,
}) => {
  test.setTimeout(180_000)
  const secret = 'correct horse battery staple'
  const signal = await SignalServer.start({ listen: { host: HOST, port: 0 } })
  const options = { secret, signaling: [`ws://${HOST}:${signal.address.port}/`] }
  const elsewhere = new Puppets(server.origin)
  try {
    await elsewhere.start()
    const enter = async (browser: Puppets): Promise<Puppet> => {
      const tab = await browser.open()
      await openKeeper(tab, 'restored', 10_000, options)
      return tab
    }
    const here = await enter(puppets)
    const others = [await enter(elsewhere), await enter(elsewhere)] as [Puppet, Puppet]
    const allVote = (tab: Puppet) =>
      expect
        .poll(async () => (await Promise.all([tab, ...others].map(inspectPuppet))).map((one) => one.voters.length), {
          timeout: 40_000,
        })
        .toEqual([3, 3, 3])
    await allVote(here)
    const { replica } = await inspectPuppet(here)
    await create(here, '/before')

    // A backup is drawn, and put back later: the votes and acknowledgements in between are forgotten.
    await puppets.quit()
    const copy = puppets.keepCopy()
    await puppets.start()
    const between = await enter(puppets)
    expect((await inspectPuppet(between)).replica).toBe(replica)
    await allVote(between)
    for (let n = 0; n < 20; n++) await create(between, `/between-${n}`)
    await puppets.kill()
    puppets.putBack(copy)
    await puppets.start()

    const after = await enter(puppets)
    expect((await inspectPuppet(after)).replica).toBe(replica)
    await expect
      .poll(() => toldOf(after), { timeout: 20_000 })
      .toContainEqual(expect.stringMatching(/^WentBackwards: .* remembers more of this replica than its disk has/))
    expect(await childrenOf(after, '/')).toHaveLength(22)
    await allVote(after)
    const marks = async (tab: Puppet) => tab.page.evaluate(async () => (await window.keeper.inspect()).marks)
    const seen = await Promise.all([after, ...others].map(marks))
    console.log('restored:', JSON.stringify(seen))
    await create(after, '/after')
    expect(await childrenOf(others[0], '/')).toContain('after')
  } finally {
    await elsewhere.end()
    await signal.close()
  }
})
