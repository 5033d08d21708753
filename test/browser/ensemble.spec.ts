import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, inspect, inspectAll, open, settled, whenGone } from './in-page.ts'

test('three tabs form one ensemble: one leads, all read what any wrote, and watches fire across', async ({ tabs }) => {
  const pages = await tabs(3)
  // The server has every module at hand after this.
  await open(pages[0] as Page, 'first')
  await pages[0]?.evaluate(() => window.keeper.close())
  const times = await Promise.all(pages.map((page) => open(page, 'form')))
  for (const time of times) expect(time).toBeLessThan(5000)
  await expect
    .poll(
      async () => (await inspectAll(pages)).map(({ links }) => links.filter(({ state }) => state === 'open').length),
      {
        timeout: 5000,
        intervals: [50],
      },
    )
    .toEqual([2, 2, 2])
  await settled(pages)
  const all = await inspectAll(pages)
  expect(all.filter(({ role }) => role === 'leading')).toHaveLength(1)
  expect(all.flatMap(({ links }) => links.map(({ transferred }) => transferred))).toEqual(Array(6).fill(true))
  expect(new Set(all.map(({ replica }) => replica)).size).toBe(3)

  for (const [i, page] of pages.entries()) {
    await page.evaluate((n) => window.keeper.create(`/from-${n}`, `by ${n}`).then(() => undefined), i)
    for (const reader of pages) {
      const text = await reader.evaluate(async (n) => {
        await window.keeper.sync('/')
        const { data } = await window.keeper.getData(`/from-${n}`)
        return new TextDecoder().decode(data ?? undefined)
      }, i)
      expect(text).toBe(`by ${i}`)
    }
  }

  const [watcher, writer] = pages as [Page, Page]
  const fired = watcher.evaluate(
    () =>
      new Promise<string>((resolve) => {
        window.keeper.exists('/watched', { watch: ({ type, path }) => resolve(`${type} ${path}`) }).then(() => {
          window.seen = ['armed']
        })
      }),
  )
  await watcher.waitForFunction(() => window.seen?.[0] === 'armed', undefined, { polling: 20 })
  await writer.evaluate(() => window.keeper.create('/watched').then(() => undefined))
  expect(await fired).toBe('NodeCreated /watched')

  await writer.evaluate(() => window.keeper.create('/line').then(() => undefined))
  const names = await Promise.all(
    pages.map((page) =>
      page.evaluate(() =>
        Promise.all(
          Array.from({ length: 50 }, async () => {
            const { path } = await window.keeper.create('/line/n-', null, { mode: 'persistentSequential' })
            return path
          }),
        ),
      ),
    ),
  )
  for (const own of names) expect(own).toEqual([...own].sort())
  expect(new Set(names.flat()).size).toBe(150)
  const digests = async () => {
    await Promise.all(pages.map((page) => childrenOf(page, '/line')))
    return new Set((await inspectAll(pages)).map(({ digest, zxid }) => `${zxid.applied} ${digest}`)).size
  }
  await expect.poll(digests, { timeout: 5000 }).toBe(1)
})

test('the leader crashes amid writes: another leads, nothing acknowledged is lost, its ephemerals vanish', async ({
  tabs,
  crash,
}) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'crash')))
  const leads = await settled(pages)
  const leader = pages[leads] as Page
  const survivors = pages.filter((page) => page !== leader) as [Page, Page]
  const [writer, other] = survivors
  await leader.evaluate(() => window.keeper.create('/mortal', null, { mode: 'ephemeral' }).then(() => undefined))
  await writer.evaluate(async () => {
    await window.keeper.create('/w')
    window.acked = []
  })

  const writing = writer.evaluate(async () => {
    let longest = 0
    for (let n = 0; n < 500; ) {
      const began = performance.now()
      const name = `/w/${String(n).padStart(4, '0')}`
      try {
        await window.keeper.create(name, String(n))
      } catch (error) {
        if (!(error instanceof window.tabkeeper.KeeperError)) throw error
        // A lost reply: the write itself may have been applied.
        if (error.code === 'ConnectionLoss') continue
        if (error.code !== 'NodeExists') throw error
      }
      window.acked.push(n)
      longest = Math.max(longest, performance.now() - began)
      n += 1
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return longest
  })
  await writer.waitForFunction(() => window.acked.length >= 100, undefined, { polling: 10 })
  const goneAt = await whenGone(other, '/mortal')
  await crash(leader)
  const crashedAt = Date.now()
  expect(await writing).toBeLessThan(5000)
  expect((await goneAt()) - crashedAt).toBeLessThan(1000)

  const expected = Array.from({ length: 500 }, (_, n) => String(n).padStart(4, '0'))
  for (const page of survivors) {
    expect(await childrenOf(page, '/w')).toEqual(expected)
    const order = await page.evaluate(async () => {
      const { children } = await window.keeper.getChildren('/w')
      const stats = await Promise.all(children.map((name) => window.keeper.exists(`/w/${name}`)))
      return stats.map((stat) => stat?.czxid ?? 0)
    })
    expect(order).toEqual([...order].sort((a, b) => a - b))
  }
  const all = await inspectAll(survivors)
  expect(all.filter(({ role }) => role === 'leading')).toHaveLength(1)
  expect(await other.evaluate(() => window.keeper.state)).toBe('connected')
})

test('an ephemeral of a crashed tab is gone within a second', async ({ tabs, crash }) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'mortal')))
  const leads = await settled(pages)
  const [victim, witness] = [pages[(leads + 1) % 3], pages[(leads + 2) % 3]] as [Page, Page]
  await victim.evaluate(() => window.keeper.create('/mortal', null, { mode: 'ephemeral' }).then(() => undefined))
  const goneAt = await whenGone(witness, '/mortal')
  await crash(victim)
  const crashedAt = Date.now()
  expect((await goneAt()) - crashedAt).toBeLessThan(1000)
})

test('all tabs are closed and opened again: every acknowledged write is there', async ({ tabs }) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'again')))
  await settled(pages)
  const before = await inspectAll(pages)
  await pages[0]?.evaluate(async () => {
    await window.keeper.create('/kept')
    await Promise.all(Array.from({ length: 200 }, (_, n) => window.keeper.create(`/kept/${1000 + n}`)))
  })
  for (const page of pages) await page.close()

  const reopened = await tabs(3)
  await Promise.all(
    reopened.map(async (page, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 500))
      await open(page, 'again')
    }),
  )
  await settled(reopened)
  const after = await inspectAll(reopened)
  expect(after.map(({ replica }) => replica).sort()).toEqual(before.map(({ replica }) => replica).sort())
  const expected = Array.from({ length: 200 }, (_, n) => String(1000 + n))
  for (const page of reopened) expect(await childrenOf(page, '/kept')).toEqual(expected)
})

test('a tab that is closed while others live comes back with its log and its identity', async ({ tabs }) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'back')))
  await settled(pages)
  const [leaver, stayer] = pages as [Page, Page]
  const { replica, incarnation } = await inspect(leaver)
  await leaver.reload()
  await leaver.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  await stayer.evaluate(() => window.keeper.create('/meanwhile').then(() => undefined))
  await open(leaver, 'back')
  const back = await inspect(leaver)
  expect(back.replica).toBe(replica)
  expect(back.incarnation).toBeGreaterThan(incarnation)
  expect(await childrenOf(leaver, '/')).toContain('meanwhile')
})

test('closing a keeper ends its session and hands the lead over; it stays closed', async ({ tabs }) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'close')))
  const leads = await settled(pages)
  const leader = pages[leads] as Page
  const others = pages.filter((page) => page !== leader) as [Page, Page]
  await leader.evaluate(() => window.keeper.create('/mine', null, { mode: 'ephemeral' }).then(() => undefined))
  const goneAt = await whenGone(others[0], '/mine')
  const closed = await leader.evaluate(async () => {
    const closing = window.keeper.close()
    const again = window.keeper.close()
    await closing
    await again
    const refused = await window.keeper.exists('/').catch((error) => error.code)
    const inspected = await window.keeper.inspect().catch((error) => error.code)
    return { state: window.keeper.state, refused, inspected }
  })
  expect(closed).toEqual({ state: 'closed', refused: 'Closed', inspected: 'Closed' })
  await goneAt()
  await settled(others, 3).catch(() => settled(others, 1))
  await others[1].evaluate(() => window.keeper.create('/after').then(() => undefined))
})

test('any page can ask the leader to step down', async ({ tabs }) => {
  const pages = await tabs(3)
  await Promise.all(pages.map((page) => open(page, 'down')))
  for (const asker of [0, 1]) {
    const leads = await settled(pages)
    await pages[(leads + asker) % 3]?.evaluate(() => window.keeper.stepDown())
    expect(await settled(pages)).not.toBe(leads)
  }
})

test('voters are chosen by hand: at the leader, of members that are there, and an odd number of them', async ({
  tabs,
}) => {
  const pages = await tabs(4)
  for (const page of pages) await open(page, 'by-hand')
  await settled(pages, 3)
  const all = await inspectAll(pages)
  const leading = all.findIndex(({ role }) => role === 'leading')
  const leader = pages[leading] as Page
  const [first, second] = all.filter(({ role }) => role === 'following')
  const observer = all.find(({ role }) => role === 'observing')
  const pageOf = (one: (typeof all)[number] | undefined) =>
    pages[all.findIndex(({ replica }) => replica === one?.replica)] as Page
  const former = pageOf(first)
  const by = (page: Page, voters: readonly (number | undefined)[]) =>
    page.evaluate(
      (ids) =>
        window.keeper.reconfig(ids as never).then(
          () => 'done',
          ({ code }) => code,
        ),
      voters,
    )
  const chosen = [all[leading]?.replica, second?.replica, observer?.replica]
  expect(await by(former, chosen)).toBe('ConnectionLoss')
  expect(await by(leader, [])).toBe('BadArguments')
  expect(await by(leader, [all[leading]?.replica, all[leading]?.replica, second?.replica])).toBe('BadArguments')
  expect(await by(leader, chosen)).toBe('done')
  await expect
    .poll(async () => (await inspectAll(pages)).map(({ voters }) => [...voters].sort()))
    .toEqual(pages.map(() => chosen.sort()))
  const config = await pageOf(observer).evaluate(async () => {
    const { data } = await window.keeper.getData('/zookeeper/config')
    return new TextDecoder().decode(data ?? undefined)
  })
  for (const id of chosen) expect(config).toContain(`server.${id}=`)
  expect(config).not.toContain(`server.${first?.replica}=`)
  // It votes no more, and goes on with its session.
  expect((await inspect(former)).role).toBe('observing')
  await former.evaluate(() => window.keeper.create('/by-a-former-voter').then(() => undefined))
  expect(await childrenOf(leader, '/')).toContain('by-a-former-voter')
  // Nobody knows this one.
  expect(await by(leader, [all[leading]?.replica, second?.replica, 5])).toBe('NewConfigNoQuorum')
})
