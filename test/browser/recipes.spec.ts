import { expect, type Page, test } from './fixtures.ts'
import { open, settled } from './in-page.ts'

test('locks, elections and groups hold between tabs', async ({ tabs, crash }) => {
  const pages = (await tabs(3)) as [Page, Page, Page]
  await Promise.all(pages.map((page) => open(page, 'recipes')))
  await settled(pages)
  await pages[0].evaluate(() => window.keeper.create('/count', '0').then(() => undefined))
  await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        for (let i = 0; i < 10; i++) {
          await window.keeper.locks.request('counter', async () => {
            await window.keeper.sync('/count')
            const { data } = await window.keeper.getData('/count')
            await window.keeper.setData('/count', String(Number(new TextDecoder().decode(data ?? undefined)) + 1))
          })
        }
      }),
    ),
  )
  const count = await pages[0].evaluate(async () => {
    await window.keeper.sync('/count')
    return new TextDecoder().decode((await window.keeper.getData('/count')).data ?? undefined)
  })
  expect(count).toBe('30')

  await Promise.all(
    pages.map((page, i) =>
      page.evaluate(
        (n) =>
          window.keeper
            .membership('room')
            .join(`page ${n}`)
            .then(() => undefined),
        i,
      ),
    ),
  )
  const members = () => pages[0].evaluate(async () => (await window.keeper.membership('room').members()).length)
  await expect.poll(members).toBe(3)

  await pages[2].evaluate(() => {
    window.seen = []
    return new Promise<void>((leads) => {
      window.keeper
        .election('chief')
        .lead(({ signal }) => {
          leads()
          return new Promise((resolve) => signal.addEventListener('abort', resolve))
        })
        .catch(() => undefined)
    })
  })
  const second = pages[1].evaluate(() => window.keeper.election('chief').lead(({ id }) => id))
  await crash(pages[2])
  expect(await second).toMatch(/^\d+$/)
  await expect.poll(members).toBe(2)
})

test('tasks added in one tab run in others, each once, even when a worker crashes', async ({ tabs, crash }) => {
  const pages = (await tabs(3)) as [Page, Page, Page]
  await Promise.all(pages.map((page) => open(page, 'tasks')))
  const leads = await settled(pages)
  const boss = pages[leads] as Page
  const [doomed, steady] = pages.filter((page) => page !== boss) as [Page, Page]
  await doomed.evaluate(async () => {
    const queue = window.keeper.queue<{ square: { in: number; out: number } }>('sums')
    await queue.worker({ square: () => new Promise<number>(() => {}) }, { slots: 2 })
  })
  const results = boss.evaluate(async () => {
    const queue = window.keeper.queue<{ square: { in: number; out: number } }>('sums')
    const handles = await Promise.all(Array.from({ length: 40 }, (_, n) => queue.add('square', n)))
    window.acked = [handles.length]
    return Promise.all(handles.map((handle) => handle.result({ timeout: 20_000 })))
  })
  await boss.waitForFunction(() => window.acked?.[0] === 40, undefined, { polling: 20 })
  await steady.evaluate(async () => {
    const queue = window.keeper.queue<{ square: { in: number; out: number } }>('sums')
    await queue.worker({ square: (n) => n * n }, { slots: 4 })
  })
  await crash(doomed)
  expect(await results).toEqual(Array.from({ length: 40 }, (_, n) => n * n))
})

test('a page that is left and shown again from the cache finds its keeper lost, and can open anew', async ({
  profile,
  server,
}) => {
  const page = await profile.open('/test/browser/pages/blank.html')
  await page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  await open(page, 'cached')
  await page.evaluate(() => {
    window.seen = []
    window.keeper.addEventListener('state', ({ detail }) => window.seen.push(detail.state))
  })
  await page.goto(`${server.origin}/test/browser/pages/platform.html`)
  await page.goBack()
  await page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  // Chromium may have kept the page or not; in both cases this works.
  const seen = await page.evaluate(() => window.seen ?? null)
  if (seen !== null) expect(seen.at(-1)).toBe('lost')
  await open(page, 'cached')
  expect(await page.evaluate(() => window.keeper.state)).toBe('connected')
})
