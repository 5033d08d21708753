import type {} from '../../demo/handle.ts'
import { computeTile, IMAGE, TILE, TILES, TILES_PER_ROW } from '../../demo/mandelbrot.ts'
import { expect, type Page, test } from './fixtures.ts'

/** The image as one thread computes it. */
function oneThread(samples: number): Uint8Array {
  const image = new Uint8Array(IMAGE * IMAGE)
  for (let tile = 0; tile < TILES; tile++) {
    const bytes = computeTile({ run: '', tile, samples })
    const left = (tile % TILES_PER_ROW) * TILE
    const top = Math.floor(tile / TILES_PER_ROW) * TILE
    for (let row = 0; row < TILE; row++) {
      image.set(bytes.subarray(row * TILE, (row + 1) * TILE), (top + row) * IMAGE + left)
    }
  }
  return image
}

const stateOf = (page: Page) => page.evaluate(() => globalThis.tabkeeperDemo.state())
const done = async (page: Page) => (await stateOf(page)).makers.filter((maker) => maker !== null).length

test('a worker tab crashes after 10 tiles, the leader after 30: the image is right, every tile once', async ({
  profile,
  crash,
}) => {
  test.setTimeout(120_000)
  const openTab = async () => {
    const page = await profile.open('/?frames=0&auto=0&samples=2')
    await page.waitForFunction(() => 'tabkeeperDemo' in globalThis, undefined, { polling: 50 })
    return page
  }
  const tabs = [await openTab(), await openTab(), await openTab()]
  await expect
    .poll(
      async () =>
        (await Promise.all(tabs.map(stateOf))).map(({ voters, members, leader }) => [voters, members, leader !== null]),
      {
        timeout: 20_000,
      },
    )
    .toEqual(tabs.map(() => [3, 3, true]))
  const states = await Promise.all(tabs.map(stateOf))
  const leads = states.findIndex(({ name }) => name === states[0]?.leader)
  const [leader, worker, watcher] = [tabs[leads], tabs[(leads + 1) % 3], tabs[(leads + 2) % 3]] as [Page, Page, Page]

  await watcher.evaluate(() => globalThis.tabkeeperDemo.start())
  await expect.poll(() => done(watcher), { timeout: 30_000, intervals: [20] }).toBeGreaterThanOrEqual(10)
  await crash(worker)
  const late = await openTab()
  await expect.poll(() => done(watcher), { timeout: 30_000, intervals: [20] }).toBeGreaterThanOrEqual(30)
  await crash(leader)
  await expect.poll(async () => (await stateOf(watcher)).complete, { timeout: 60_000 }).toBe(true)

  const { makers, name, run } = await stateOf(watcher)
  const image = await watcher.evaluate(() => {
    let text = ''
    const bytes = globalThis.tabkeeperDemo.image()
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
    return btoa(text)
  })
  expect(Buffer.from(image, 'base64').equals(Buffer.from(oneThread(2)))).toBe(true)

  // A tile's node is created in the transaction that completes its task: 64 nodes, all of version 0, are 64 completions.
  expect(makers).toHaveLength(64)
  expect(run).not.toBeNull()
  const survivors = [name, (await stateOf(late)).name]
  for (const survivor of survivors) expect(makers.filter((maker) => maker === survivor).length).toBeGreaterThan(0)
})
