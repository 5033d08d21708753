import type {} from '../../demo/handle.ts'
import { expect, type Page, type Profile, test } from './fixtures.ts'

const stateOf = (page: Page) => page.evaluate(() => globalThis.tabkeeperDemo.state())
async function openDemo(profile: Profile, path: string): Promise<Page> {
  const page = await profile.open(path)
  await page.waitForFunction(() => 'tabkeeperDemo' in globalThis, undefined, { polling: 50 })
  return page
}

const complete = (page: Page) =>
  expect.poll(async () => (await stateOf(page)).complete, { timeout: 60_000, intervals: [100] }).toBe(true)

test('opening the page is enough: members find each other and a job gets done', async ({ profile }) => {
  const page = await openDemo(profile, '/?samples=1')
  await complete(page)
  const { members, makers, leader } = await stateOf(page)
  expect(members).toBe(3)
  expect(leader).not.toBeNull()
  expect(new Set(makers).size).toBeGreaterThan(1)
  await expect(page.locator('#now')).toContainText('The image is done')
  await expect(page.locator('#state')).toHaveText('connected')

  // The tree is there, and can be walked and changed by keyboard alone.
  await page.locator('#tree').getByRole('treeitem').first().focus()
  await page.keyboard.press('ArrowDown')
  await page.locator('#child-name').fill('note')
  await page.locator('#child-data').fill('by hand')
  await page.locator('#child-name').press('Enter')
  await expect(page.getByRole('treeitem', { name: /note/ })).toBeVisible()
  for (const id of ['run', 'add', 'kill-leader']) {
    await page.locator(`#${id}`).focus()
    await expect(page.locator(`#${id}`)).toBeFocused()
  }

  // What the replica tells of itself.
  await page.locator('#inspect > summary').click()
  await expect(page.locator('#inspect-body')).toContainText(/following|leading/)
})

test('killing a member in mid-job is seen, said, and harmless', async ({ profile }) => {
  test.setTimeout(90_000)
  const page = await openDemo(profile, '/?samples=3')
  await expect
    .poll(async () => (await stateOf(page)).makers.filter(Boolean).length, { timeout: 30_000 })
    .toBeGreaterThan(5)
  await page.locator('#kill-member').click()
  await expect
    .poll(() => page.locator('#now, #log').allInnerTexts(), { timeout: 10_000 })
    .toContainEqual(expect.stringMatching(/killed/i))
  await complete(page)
  expect((await stateOf(page)).makers).toHaveLength(64)
})

test('it fits a phone, in light and in dark', async ({ profile }) => {
  const page = await openDemo(profile, '/?samples=1')
  await page.setViewportSize({ width: 390, height: 844 })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(wide).toBe(0)
  }
})

test('a browser without Web Locks is told what is missing', async ({ profile }) => {
  await profile.context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })
  })
  const page = await profile.open('/')
  await expect(page.locator('#failure')).toBeVisible()
  await expect(page.locator('#failure')).toContainText('Web Locks')
})
