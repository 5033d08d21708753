import { findChromium, findWholeChromium } from './chromium.ts'
import { expect, test } from './fixtures.ts'
import { inspectPuppet, keepWriting, NO_GIVING_WAY, openKeeper, type Puppet, Puppets } from './puppets.ts'

const stateOf = ({ page }: Puppet) => page.evaluate(() => window.keeper.state)
const toldOf = ({ page }: Puppet) => page.evaluate(() => window.told)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** So many voters, opened one after the other. */
async function voters(
  puppets: Puppets,
  ensemble: string,
  count: number,
  sessionTimeout?: number,
  options: Parameters<typeof openKeeper>[3] = NO_GIVING_WAY,
): Promise<Puppet[]> {
  const tabs: Puppet[] = []
  for (let i = 0; i < count; i++) {
    const tab = await puppets.open()
    await openKeeper(tab, ensemble, sessionTimeout, options)
    tabs.push(tab)
  }
  await allVote(tabs)
  return tabs
}

const allVote = (tabs: readonly Puppet[]) =>
  expect
    .poll(async () => (await Promise.all(tabs.map(inspectPuppet))).map((one) => one.voters.length), { timeout: 30_000 })
    .toEqual(tabs.map(() => tabs.length))

async function leaderOf(tabs: readonly Puppet[]): Promise<Puppet> {
  const roles = await Promise.all(tabs.map(inspectPuppet))
  const leader = tabs[roles.findIndex(({ role }) => role === 'leading')]
  if (leader === undefined) throw new Error('nobody leads')
  return leader
}

/** Creates one node after the other below `path`; `window.told` becomes the names of the acknowledged ones. */
const keepCreating = ({ page }: Puppet, path: string): Promise<void> =>
  page.evaluate(async (at) => {
    window.created = []
    await window.keeper.create(at)
    const create = async (): Promise<void> => {
      const { keeper } = window
      for (let n = 0; keeper === window.keeper && keeper.state !== 'closed' && keeper.state !== 'lost'; n++) {
        await keeper.create(`${at}/${n}`).then(
          () => window.created.push(String(n)),
          // What cannot be sent is refused at once, again and again.
          () => new Promise((resolve) => setTimeout(resolve, 10)),
        )
      }
    }
    void create()
  }, path)

const createdOf = ({ page }: Puppet) => page.evaluate(() => [...window.created])

/** What of `names` is not below `path`, as this page sees it after a sync. */
const missing = async ({ page }: Puppet, path: string, names: readonly string[]): Promise<string[]> => {
  const there = new Set(
    await page.evaluate(async (at) => {
      await window.keeper.sync(at)
      return [...(await window.keeper.getChildren(at)).children]
    }, path),
  )
  return names.filter((name) => !there.has(name))
}

declare global {
  interface Window {
    created: string[]
    rings: number[]
    restored: boolean
  }
}

let puppets: Puppets
test.beforeEach(async ({ server }, { tags }) => {
  puppets = new Puppets(
    server.origin,
    ['--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1'],
    tags.includes('@whole-browser') ? findWholeChromium : findChromium,
  )
  await puppets.start()
})
test.afterEach(() => puppets.end())

test('hidden for minutes, where timers of pages ring once a minute: sessions and voters stay, and a newcomer is let in @slow @whole-browser', async () => {
  test.setTimeout(180_000)
  const [lone] = (await voters(puppets, 'lone', 1)) as [Puppet]
  const tabs = await voters(puppets, 'hidden', 3, undefined, {})
  await puppets.open()
  for (const { page } of [lone, ...tabs]) {
    // Becoming a voter may have interrupted a session.
    await page.evaluate(() => window.told.splice(0))
    expect(await page.evaluate(() => document.visibilityState)).toBe('hidden')
  }
  await keepWriting(tabs[1] as Puppet, '/w')
  await lone.page.evaluate(() => {
    window.rings = [performance.now()]
    setInterval(() => window.rings.push(performance.now()), 1000)
  })
  // Two rings a minute apart: the browser treats this page as it does one that has been hidden for long.
  await pause(130_000)
  const rings = await lone.page.evaluate(() => window.rings)
  const gaps = rings.slice(1).map((at, i) => at - (rings[i] ?? 0))
  console.log(
    `hidden: ${rings.length} rings of a timer of 1 s in 130 s, the longest pause ${Math.max(...gaps).toFixed(0)} ms`,
  )
  const writes = await (tabs[1] as Puppet).page.evaluate(() => window.writes.map(({ sent, acked }) => acked - sent))
  console.log(`hidden: ${writes.length} writes, the slowest ${Math.max(...writes)} ms`)
  expect(Math.max(...gaps)).toBeGreaterThan(50_000)
  for (const tab of [lone, ...tabs]) expect(await toldOf(tab)).toEqual([])
  const began = Date.now()
  const newcomer = await puppets.open()
  await openKeeper(newcomer, 'lone')
  console.log(`hidden: a newcomer connected ${Date.now() - began} ms after its tab was asked for`)
  expect(Date.now() - began).toBeLessThan(10_000)
  expect(await newcomer.page.evaluate(async () => (await window.keeper.inspect()).leader)).toBe(
    (await inspectPuppet(lone)).replica,
  )
})

test('the leader is hidden for long: a voter whose page is visible leads, once, and nothing is lost @whole-browser', async () => {
  const tabs: Puppet[] = []
  for (let i = 0; i < 3; i++) {
    const tab = await puppets.open()
    await openKeeper(tab, 'gives way', 6000, { handoverAfterHidden: 4000 })
    tabs.push(tab)
  }
  const [founder, other, visible] = tabs as [Puppet, Puppet, Puppet]
  for (const [tab, state] of [[founder, 'hidden'] as const, [other, 'hidden'] as const, [visible, 'visible'] as const])
    expect(await tab.page.evaluate(() => document.visibilityState)).toBe(state)
  await keepCreating(other, '/other')
  await keepCreating(founder, '/founder')
  const { replica } = await inspectPuppet(visible)
  await expect.poll(async () => (await inspectPuppet(other)).leader, { timeout: 30_000 }).toBe(replica)
  const gaveWay = () => founder.page.evaluate(async () => (await window.keeper.inspect()).marks['gives-way'])
  expect(await gaveWay()).toBe(1)
  // All are hidden: it goes on to lead.
  await puppets.open()
  expect(await visible.page.evaluate(() => document.visibilityState)).toBe('hidden')
  await pause(6000)
  expect((await inspectPuppet(visible)).role).toBe('leading')
  expect(await gaveWay()).toBe(1)
  const [byOther, byFounder] = [await createdOf(other), await createdOf(founder)]
  expect(byOther.length).toBeGreaterThan(0)
  expect(byFounder.length).toBeGreaterThan(0)
  for (const tab of tabs) {
    expect(await missing(tab, '/other', byOther)).toEqual([])
    expect(await missing(tab, '/founder', byFounder)).toEqual([])
    expect(await toldOf(tab)).not.toContainEqual(expect.stringMatching(/^lost/))
  }
})

test('the leader is frozen for a minute: it comes back as the replica that it was; its page, whose session is over, opens anew @slow', async () => {
  test.setTimeout(180_000)
  const tabs = await voters(puppets, 'minute', 3)
  const leader = await leaderOf(tabs)
  const [other] = tabs.filter((tab) => tab !== leader) as [Puppet]
  const { replica } = await inspectPuppet(leader)
  await keepCreating(other, '/other')
  await keepCreating(leader, '/leader')
  await pause(1000)
  await leader.freeze()
  await pause(60_000)
  const midway = (await createdOf(other)).length
  await leader.thaw()
  await expect.poll(() => stateOf(leader), { timeout: 20_000 }).toBe('lost')
  await expect.poll(async () => (await inspectPuppet(leader)).role, { timeout: 20_000 }).toMatch(/following|observing/)
  expect((await inspectPuppet(leader)).replica).toBe(replica)
  const before = await createdOf(leader)
  await leader.page.evaluate(() => window.keeper.close())
  await openKeeper(leader, 'minute')
  expect((await inspectPuppet(leader)).replica).toBe(replica)
  await allVote(tabs)
  expect((await createdOf(other)).length).toBeGreaterThan(midway)
  expect(await missing(leader, '/other', await createdOf(other))).toEqual([])
  expect(await missing(other, '/leader', before)).toEqual([])
})

test("the leader's renderer is stopped and continued, as by a machine that sleeps: it follows, and nothing acknowledged is lost @slow", async () => {
  test.setTimeout(120_000)
  const tabs = await voters(puppets, 'stopped', 3)
  const leader = await leaderOf(tabs)
  const [other] = tabs.filter((tab) => tab !== leader) as [Puppet]
  await keepCreating(other, '/other')
  await keepCreating(leader, '/leader')
  await pause(1000)
  process.kill(leader.pid, 'SIGSTOP')
  await pause(12_000)
  const { leader: second } = await inspectPuppet(other)
  process.kill(leader.pid, 'SIGCONT')
  await expect.poll(() => stateOf(leader), { timeout: 20_000 }).toBe('lost')
  await expect.poll(async () => (await inspectPuppet(leader)).role, { timeout: 20_000 }).toBe('following')
  // Who led meanwhile still does: the one that woke deposed nobody.
  expect((await inspectPuppet(leader)).leader).toBe(second)
  expect(await missing(other, '/leader', await createdOf(leader))).toEqual([])
  expect(await missing(other, '/other', await createdOf(other))).toEqual([])
})

const noteReturns = ({ page }: Puppet) =>
  page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => {
      window.restored = persisted
    })
  })
const createMortal = ({ page }: Puppet) =>
  page.evaluate(() => window.keeper.create('/mortal', null, { mode: 'ephemeral' }).then(() => undefined))

test('back and forward, soon: the keeper opens anew by itself, as the replica and with the session that it was @whole-browser', async () => {
  const [tab] = (await voters(puppets, 'soon', 1, 20_000)) as [Puppet]
  // The only tab of a headless Chromium is never kept.
  await puppets.open()
  const { replica, incarnation } = await inspectPuppet(tab)
  await noteReturns(tab)
  await createMortal(tab)
  const session = await tab.page.evaluate(() => String(window.keeper.sessionId))
  await tab.page.evaluate(() => window.told.splice(0))
  await tab.page.goto(`${puppets.origin}/test/browser/pages/platform.html`)
  await tab.page.goBack()
  expect(await tab.page.evaluate(() => window.restored)).toBe(true)
  await expect.poll(() => stateOf(tab), { timeout: 20_000 }).toBe('connected')
  expect(await toldOf(tab)).toEqual(['suspended: The page was left.', 'connected: connected'])
  expect(await tab.page.evaluate(() => String(window.keeper.sessionId))).toBe(session)
  expect(await tab.page.evaluate(() => window.keeper.exists('/mortal').then((stat) => stat !== null))).toBe(true)
  await tab.page.evaluate(() => window.keeper.create('/after').then(() => undefined))
  const again = await inspectPuppet(tab)
  expect(again.replica).toBe(replica)
  expect(again.incarnation).toBeGreaterThan(incarnation)
})

test('back and forward, late: the replica of the page that was left is free for others; brought back by the cache it is told that its session is over @whole-browser', async () => {
  const [tab] = (await voters(puppets, 'back', 1)) as [Puppet]
  await puppets.open()
  const { replica, incarnation } = await inspectPuppet(tab)
  await noteReturns(tab)
  await createMortal(tab)
  await tab.page.goto(`${puppets.origin}/test/browser/pages/platform.html`)
  // Its replica is free for the next tab, and its ephemeral is gone when its session is over.
  const next = await puppets.open()
  await openKeeper(next, 'back')
  expect((await inspectPuppet(next)).replica).toBe(replica)
  await expect.poll(() => next.page.evaluate(() => window.keeper.exists('/mortal')), { timeout: 20_000 }).toBeNull()
  await next.page.close()
  await tab.page.goBack()
  expect(await tab.page.evaluate(() => window.restored)).toBe(true)
  await expect.poll(() => stateOf(tab), { timeout: 20_000 }).toBe('lost')
  expect((await toldOf(tab)).at(-1)).toMatch(/^lost: (the session is over|no connection for a whole session timeout)$/)
  const again = await inspectPuppet(tab)
  expect(again.replica).toBe(replica)
  expect(again.incarnation).toBeGreaterThan(incarnation + 1)
  await tab.page.evaluate(() => window.keeper.close())
  await openKeeper(tab, 'back')
  expect((await inspectPuppet(tab)).replica).toBe(replica)
})

test('back and forward beside another tab of the ensemble: that one ends the session at once, and the page that comes back is told @whole-browser', async () => {
  const [tab, sibling] = (await voters(puppets, 'beside', 3, 20_000)) as [Puppet, Puppet, Puppet]
  await noteReturns(tab)
  await createMortal(tab)
  await sibling.page.evaluate(() => window.keeper.sync('/'))
  expect(await sibling.page.evaluate(() => window.keeper.exists('/mortal'))).not.toBeNull()
  await tab.page.goto(`${puppets.origin}/test/browser/pages/platform.html`)
  // Long before the timeout would end it.
  await expect.poll(() => sibling.page.evaluate(() => window.keeper.exists('/mortal')), { timeout: 10_000 }).toBeNull()
  await tab.page.goBack()
  expect(await tab.page.evaluate(() => window.restored)).toBe(true)
  await expect.poll(() => stateOf(tab), { timeout: 20_000 }).toBe('lost')
  expect((await toldOf(tab)).at(-1)).toBe('lost: the session is over')
})

test('a duplicated tab, and one that a page opened, are replicas of their own', async () => {
  const [tab] = (await voters(puppets, 'twice', 1)) as [Puppet]
  await tab.page.evaluate(() => {
    sessionStorage.setItem('kept', 'by the tab')
    history.replaceState({ kept: 'by the tab' }, '')
  })
  const opened = await puppets.openFrom(tab)
  expect(await opened.page.evaluate(() => sessionStorage.getItem('kept'))).toBe('by the tab')
  await openKeeper(opened, 'twice')
  const [a, b] = await Promise.all([tab, opened].map(inspectPuppet))
  expect(b?.replica).not.toBe(a?.replica)
  expect(b?.leader).toBe(a?.replica)
  // Whoever opened it may go.
  await tab.page.close()
  await opened.page.evaluate(() => window.keeper.create('/after').then(() => undefined))
})

test('pages reload while a leader is elected, five times over: all find together again, and nothing acknowledged is lost @slow', async () => {
  test.setTimeout(120_000)
  const tabs = await voters(puppets, 'reload', 3)
  for (let round = 0; round < 5; round++) {
    const leader = await leaderOf(tabs)
    const others = tabs.filter((tab) => tab !== leader) as [Puppet, Puppet]
    await keepCreating(others[1], `/round-${round}`)
    await others[1].page.waitForFunction(() => window.created.length > 10, { polling: 20 })
    const reload = async (tab: Puppet): Promise<void> => {
      await tab.page.reload()
      await tab.page.waitForFunction(() => 'tabkeeper' in window, { polling: 50 })
      await openKeeper(tab, 'reload')
    }
    // The leader goes, and amid the election that follows one of the two that are left.
    const first = reload(leader)
    await pause(round * 40)
    await Promise.all([first, reload(others[0])])
    await allVote(tabs)
    const created = await createdOf(others[1])
    for (const tab of tabs) expect(await missing(tab, `/round-${round}`, created)).toEqual([])
    expect(await toldOf(others[1])).not.toContainEqual(expect.stringMatching(/^lost/))
    await others[1].page.evaluate(() => window.keeper.close())
    await openKeeper(others[1], 'reload')
    await allVote(tabs)
  }
})
