// npm run demo: builds the demo, serves it, and prints its address.
// npm run demo -- --headless [--kill]: three tabs of a headless browser compute the image; prints who led, tiles per tab, the time,
// and where the image is. With --kill the leader's tab is crashed in mid-job.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from '@playwright/test'
import { build, type PreviewServer, preview } from 'vite'
import type {} from '../demo/handle.ts'
import { launchChromium } from '../test/browser/chromium.ts'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const headless = process.argv.includes('--headless')
const unknown = process.argv.slice(2).find((one) => one !== '--headless' && one !== '--kill')
if (unknown !== undefined) {
  console.error(`demo: unknown option ${unknown}; there are --headless and --kill.`)
  process.exit(2)
}

await build({ root: top, logLevel: 'warn' })
const server: PreviewServer = await preview({
  root: top,
  preview: { host: '127.0.0.1', ...(headless ? { port: 0 } : {}) },
})
const address = server.resolvedUrls?.local[0] ?? ''
if (!headless) console.log(`The demo is at ${address} (Ctrl-C ends it).`)
else {
  const profile = mkdtempSync(join(tmpdir(), 'tabkeeper-demo-'))
  const context = await launchChromium(profile)
  try {
    await run(context)
  } finally {
    await context.close()
    await server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${address}?frames=0&auto=0`)
  await page.waitForFunction(() => 'tabkeeperDemo' in globalThis, undefined, { polling: 50 })
  return page
}

function stateOf(page: Page) {
  return page.evaluate(() => globalThis.tabkeeperDemo.state())
}

function doneBy(makers: readonly (string | null)[]): number {
  return makers.filter((maker) => maker !== null).length
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (await done()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`demo: ${what} did not happen within 60 seconds.`)
}

async function run(context: BrowserContext): Promise<void> {
  const tabs = [await openTab(context), await openTab(context), await openTab(context)]
  await until('an ensemble of three voters', async () => {
    const states = await Promise.all(tabs.map(stateOf))
    return states.every(({ voters, members, leader }) => voters === 3 && members === 3 && leader !== null)
  })
  const states = await Promise.all(tabs.map(stateOf))
  const [led] = states.map(({ leader }) => leader)
  const leaderAt = states.findIndex(({ name }) => name === led)
  const watcher = tabs[(leaderAt + 1) % 3] as Page
  console.log(`Three tabs form an ensemble: ${states.map(({ name }) => name).join(', ')}. ${led} leads.`)

  const began = performance.now()
  await watcher.evaluate(() => globalThis.tabkeeperDemo.start())
  if (process.argv.includes('--kill')) {
    await until('twenty tiles', async () => doneBy((await stateOf(watcher)).makers) >= 20)
    await crash(context, tabs[leaderAt] as Page)
    console.log(`The leader's tab ${led} crashed after ${((performance.now() - began) / 1000).toFixed(1)} s.`)
  }
  await until('the whole image', async () => (await stateOf(watcher)).complete)
  const seconds = (performance.now() - began) / 1000
  const { makers, leader } = await stateOf(watcher)
  if (leader !== led) console.log(`${leader} was elected and leads now.`)
  const counts = new Map<string, number>()
  for (const maker of makers) counts.set(maker ?? '?', (counts.get(maker ?? '?') ?? 0) + 1)
  const shares = [...counts].sort().map(([name, count]) => `${name} ${count}`)
  console.log(
    `${makers.length} tiles in ${seconds.toFixed(1)} s (${(makers.length / seconds).toFixed(1)} tiles/s): ${shares.join(', ')}.`,
  )
  const png = await watcher.evaluate(() => globalThis.tabkeeperDemo.png())
  const file = join(top, 'out/mandelbrot.png')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Buffer.from(png.slice(png.indexOf(',') + 1), 'base64'))
  console.log(`The image is in ${relative(process.cwd(), file)}.`)
}

async function crash(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page)
  await Promise.race([session.send('Page.crash').catch(() => undefined), page.waitForEvent('crash')])
}
