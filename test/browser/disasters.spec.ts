import { expect, test } from './fixtures.ts'
import { inspectPuppet, keepWriting, openKeeper, type Puppet, Puppets } from './puppets.ts'

const stateOf = ({ page }: Puppet) => page.evaluate(() => window.keeper.state)
const votersOf = async (puppet: Puppet) => (await inspectPuppet(puppet)).voters

declare global {
  interface Window {
    noteAcknowledged(node: string): Promise<void>
  }
}

async function threeVoters(puppets: Puppets, ensemble: string): Promise<[Puppet, Puppet, Puppet]> {
  const tabs: Puppet[] = []
  for (let i = 0; i < 3; i++) {
    const tab = await puppets.open()
    // The default: long enough for an adoption.
    await openKeeper(tab, ensemble, 10_000)
    tabs.push(tab)
  }
  await expect
    .poll(async () => (await Promise.all(tabs.map(votersOf))).map((voters) => voters.length), { timeout: 15_000 })
    .toEqual([3, 3, 3])
  return tabs as [Puppet, Puppet, Puppet]
}

const leads = async (puppet: Puppet): Promise<boolean> => (await inspectPuppet(puppet)).role === 'leading'

/** What the page wrote last and was told was written. */
const lastAcked = ({ page }: Puppet) => page.evaluate(() => window.writes.at(-1)?.sent ?? 0)

test.describe('the worst days of one browser @slow', () => {
  let puppets: Puppets
  test.beforeEach(async ({ server }) => {
    test.setTimeout(150_000)
    puppets = new Puppets(server.origin)
    await puppets.start()
  })
  test.afterEach(() => puppets.end())

  test('the browser is killed amid writes; one tab reopened has every acknowledged write, and writes', async () => {
    const tabs = await threeVoters(puppets, 'killed')
    const writer = tabs[1]
    // Told to this process at once, so that what was acknowledged last is known too.
    const acked: string[] = []
    await writer.page.exposeFunction('noteAcknowledged', (node: string) => void acked.push(node))
    await writer.page.evaluate(async () => {
      await window.keeper.create('/w')
      const write = async (): Promise<void> => {
        for (let n = 0; ; n++) await window.keeper.create(`/w/${n}`).then(() => void window.noteAcknowledged(String(n)))
      }
      write().catch(() => undefined)
    })
    await expect.poll(() => acked.length, { timeout: 30_000, intervals: [20] }).toBeGreaterThan(200)
    await puppets.kill()
    await puppets.start()
    const began = Date.now()
    const again = await puppets.open()
    await openKeeper(again, 'killed')
    await again.page.evaluate(() => window.keeper.create('/after').then(() => undefined))
    const ms = Date.now() - began
    console.log(
      `killed with its browser, ${acked.length} writes acknowledged: writable again ${ms} ms after one tab was opened`,
    )
    expect(ms).toBeLessThan(10_000)
    const there = new Set(await again.page.evaluate(async () => [...(await window.keeper.getChildren('/w')).children]))
    expect(acked.filter((n) => !there.has(n))).toEqual([])
  })

  test('one voter is frozen and one crashed: the crashed one is adopted, the frozen one is not; thawed, it follows', async () => {
    const tabs = await threeVoters(puppets, 'adopted')
    const [alive, frozen, crashed] = tabs
    const frozenId = (await inspectPuppet(frozen)).replica
    await frozen.freeze()
    await crashed.crash()
    await keepWriting(alive, '/w')
    await alive.page.waitForFunction(() => window.writes.length > 20, { polling: 50, timeout: 60_000 })
    expect(await stateOf(alive)).toBe('connected')
    expect(await alive.page.evaluate(() => window.told.filter((one) => one.startsWith('lost')))).toEqual([])
    await frozen.thaw()
    await expect
      .poll(async () => (await inspectPuppet(frozen)).role, { timeout: 20_000 })
      .toMatch(/following|observing/)
    // It was silent for longer than its session may be; it has its log, and is the replica that it was.
    expect((await inspectPuppet(frozen)).replica).toBe(frozenId)
    // The lead may be on its way to a page that is seen.
    await expect
      .poll(async () => {
        const [a, b] = await Promise.all([alive, frozen].map(inspectPuppet))
        return a?.leader !== null && a?.leader === b?.leader
      })
      .toBe(true)
  })

  test('two voters are frozen: the third waits, adopts nobody, says so, and goes on when one thaws', async () => {
    const tabs = await threeVoters(puppets, 'waits')
    const [alive, ...others] = tabs
    await keepWriting(alive, '/w')
    await alive.page.waitForFunction(() => window.writes.length > 5, { polling: 50 })
    for (const tab of others) await tab.freeze()
    await expect.poll(() => stateOf(alive), { timeout: 20_000 }).not.toBe('connected')
    const acked = await lastAcked(alive)
    await new Promise((resolve) => setTimeout(resolve, 8000))
    // Not a write was acknowledged meanwhile: no vote of a frozen tab was taken.
    expect(await lastAcked(alive)).toBe(acked)
    expect(await leads(alive)).toBe(false)
    await others[0]?.thaw()
    await expect.poll(() => inspectPuppet(alive).then(({ leader }) => leader), { timeout: 20_000 }).not.toBeNull()
    const reopened = await puppets.open()
    await openKeeper(reopened, 'waits')
    await reopened.page.evaluate(() => window.keeper.create('/thawed').then(() => undefined))
  })

  test('two voters are frozen: the third reads what it has; what it writes is done when they thaw, or ends at the deadline', async () => {
    const tabs = await threeVoters(puppets, 'reads')
    const [alive, ...others] = tabs
    const { page } = alive
    await page.evaluate(() => window.keeper.create('/r', 'kept').then(() => undefined))
    const suspend = async (): Promise<void> => {
      for (const tab of others) await tab.freeze()
      await expect.poll(() => stateOf(alive), { timeout: 20_000 }).toBe('suspended')
    }
    const readings = () =>
      page.evaluate(async () => {
        const began = performance.now()
        const { data } = await window.keeper.getData('/r')
        const { children } = await window.keeper.getChildren('/')
        return {
          state: window.keeper.state,
          data: new TextDecoder().decode(data ?? undefined),
          listed: children.includes('r'),
          ms: performance.now() - began,
        }
      })
    await suspend()
    const first = await readings()
    console.log(`suspended: two reads in ${first.ms.toFixed(1)} ms`)
    expect(first).toMatchObject({ state: 'suspended', data: 'kept', listed: true })
    const aborted = await page.evaluate(() =>
      window.keeper.setData('/r', 'never', { signal: AbortSignal.timeout(300) }).then(
        () => 'done',
        ({ code }: { code: string }) => code,
      ),
    )
    expect(aborted).toBe('Aborted')
    const written = page.evaluate(() => window.keeper.setData('/r', 'later').then(({ version }) => version))
    for (const tab of others) await tab.thaw()
    expect(await written).toBe(1)
    expect((await readings()).data).toBe('later')
    await suspend()
    const end = await page.evaluate(async () => {
      const began = performance.now()
      const code = await window.keeper.setData('/r', 'too late').then(
        () => 'done',
        ({ code, outcome }: { code: string; outcome: string }) => `${code} ${outcome}`,
      )
      return { code, ms: performance.now() - began, state: window.keeper.state }
    })
    expect(end).toMatchObject({ code: 'SessionExpired not-applied', state: 'lost' })
    expect(end.ms).toBeLessThan(11_000)
  })
})
