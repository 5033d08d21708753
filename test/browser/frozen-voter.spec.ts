import { expect, test } from './fixtures.ts'
import { inspectPuppet, NO_GIVING_WAY, openKeeper, type Puppet, Puppets } from './puppets.ts'

test('a voter is frozen for long: somebody else gets its vote, and the next death is no matter @slow', async ({
  server,
}) => {
  test.setTimeout(180_000)
  const puppets = new Puppets(server.origin)
  await puppets.start()
  try {
    const tabs: Puppet[] = []
    for (let i = 0; i < 4; i++) {
      const tab = await puppets.open()
      await openKeeper(tab, 'frozen voter', 10_000, NO_GIVING_WAY)
      tabs.push(tab)
    }
    const roles = async () => (await Promise.all(tabs.map(inspectPuppet))).map(({ role }) => role)
    await expect
      .poll(async () => (await roles()).sort(), { timeout: 20_000 })
      .toEqual(['following', 'following', 'leading', 'observing'])
    const were = await roles()
    const leader = tabs[were.indexOf('leading')] as Puppet
    const frozen = tabs[were.indexOf('following')] as Puppet
    const other = tabs[were.lastIndexOf('following')] as Puppet
    const observer = tabs[were.indexOf('observing')] as Puppet
    const ids = await Promise.all([leader, other, observer].map(async (tab) => (await inspectPuppet(tab)).replica))
    const own = (await inspectPuppet(frozen)).replica
    await frozen.freeze()
    const votersNow = async () => [...(await inspectPuppet(leader)).voters].sort()
    await expect.poll(votersNow, { timeout: 45_000, intervals: [1000] }).toEqual([...ids].sort())
    await other.crash()
    await leader.page.evaluate(() => window.keeper.create('/after').then(() => undefined))
    await frozen.thaw()
    await expect
      .poll(async () => (await inspectPuppet(frozen)).role, { timeout: 20_000 })
      .toMatch(/observing|following/)
    expect((await inspectPuppet(frozen)).replica).toBe(own)
  } finally {
    await puppets.end()
  }
})
