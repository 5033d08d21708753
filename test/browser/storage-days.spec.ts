import { expect, test } from './fixtures.ts'
import { inspectPuppet, openKeeper, type Puppet, Puppets } from './puppets.ts'

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
