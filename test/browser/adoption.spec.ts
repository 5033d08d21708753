import { expect, test } from './fixtures.ts'
import { childrenOf, inspect, inspectAll, open, settled } from './in-page.ts'

test('the whole browser ends with all its voters; one tab reopened is enough to go on', async ({ tabs, profile }) => {
  test.setTimeout(60_000)
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'orphans')))
  await settled(pages)
  const before = await inspectAll(pages)
  await pages[1]?.evaluate(async () => {
    await window.keeper.create('/kept')
    await Promise.all(Array.from({ length: 100 }, (_, n) => window.keeper.create(`/kept/${1000 + n}`)))
    await window.keeper.create('/mortal', null, { mode: 'ephemeral' })
  })
  await profile.restart()

  // Two of three voters are gone for good, for all that this tab can know; their logs are here, and nobody holds them.
  const [alone] = await tabs(1)
  if (alone === undefined) throw new Error('no tab')
  expect(await open(alone, 'orphans')).toBeLessThan(10_000)
  expect(await childrenOf(alone, '/kept')).toEqual(Array.from({ length: 100 }, (_, n) => String(1000 + n)))
  await alone.evaluate(() => window.keeper.create('/after').then(() => undefined))

  // The dead tabs' votes are given up, their session's ephemeral goes, and this tab decides alone.
  const own = (await inspect(alone)).replica
  expect(before.map(({ replica }) => replica)).toContain(own)
  await expect.poll(async () => (await inspect(alone)).voters, { timeout: 15_000 }).toEqual([own])
  await expect.poll(() => alone.evaluate(() => window.keeper.exists('/mortal')), { timeout: 30_000 }).toBeNull()

  // New tabs join and get votes as ever.
  const more = [alone, ...(await tabs(2))]
  await Promise.all(more.slice(1).map((page) => open(page, 'orphans')))
  await settled(more)
  for (const page of more) expect(await childrenOf(page, '/')).toContain('after')
})

test('tabs are closed and opened again one by one, each awaited: nothing waits for a tab that is not there', async ({
  tabs,
}) => {
  test.setTimeout(60_000)
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'one-by-one')))
  await settled(pages)
  await pages[2]?.evaluate(async () => {
    await window.keeper.create('/kept')
    await Promise.all(Array.from({ length: 50 }, (_, n) => window.keeper.create(`/kept/${100 + n}`)))
  })
  for (const page of pages) await page.close()
  const expected = Array.from({ length: 50 }, (_, n) => String(100 + n))
  const again = []
  for (let i = 0; i < 3; i++) {
    const [page] = await tabs(1)
    if (page === undefined) throw new Error('no tab')
    await open(page, 'one-by-one')
    expect(await childrenOf(page, '/kept')).toEqual(expected)
    again.push(page)
  }
  await settled(again)
})
