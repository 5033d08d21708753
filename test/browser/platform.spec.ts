import { expect, test } from './fixtures.ts'

// What the library takes for granted of a browser. If one of these fails, no other browser test means anything.
const PAGE = '/test/browser/pages/platform.html'
const ready = () => 'platform' in window

test('a data channel made by one page is open in its worker, and carries bytes to the worker of another page', async ({
  profile,
}) => {
  const [one, two] = [await profile.open(PAGE), await profile.open(PAGE)]
  await Promise.all([one.waitForFunction(ready), two.waitForFunction(ready)])
  const second = two.evaluate(() => window.platform.meet(false))
  const first = one.evaluate(() => window.platform.meet(true))
  const met = { heard: 'a word from worker to worker', bytes: 16_000 }
  expect(await Promise.all([first, second])).toEqual([met, met])
})

test('a worker writes to IndexedDB with strict durability', async ({ profile }) => {
  const page = await profile.open(PAGE)
  await page.waitForFunction(ready)
  expect(await page.evaluate(() => window.platform.askWorker('indexedDB'))).toEqual({
    durability: 'strict',
    keys: [4294967297, 4294967298],
    values: [new Uint8Array([1, 2, 3]), 'text'],
  })
})

test('a Web Lock that a worker holds is free again when its page crashes', async ({ profile, crash }) => {
  const [one, two] = [await profile.open(PAGE), await profile.open(PAGE)]
  await Promise.all([one.waitForFunction(ready), two.waitForFunction(ready)])
  expect(await one.evaluate(() => window.platform.askWorker('locks'))).toBe(true)
  expect(await two.evaluate(() => window.platform.askWorker('locks'))).toBe(false)
  await crash(one)
  await expect.poll(() => two.evaluate(() => window.platform.askWorker('locks'))).toBe(true)
})

test('what a page stored is there after the browser restarts', async ({ profile }) => {
  const before = await profile.open(PAGE)
  await before.waitForFunction(ready)
  await before.evaluate(() => window.platform.askWorker('indexedDB'))
  await profile.restart()
  const after = await profile.open(PAGE)
  const names = await after.evaluate(async () => (await indexedDB.databases()).map((one) => one.name))
  expect(names).toContain('platform')
})
