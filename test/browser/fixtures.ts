import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, test as base, type Page } from '@playwright/test'
import { type Chromium, findChromium, launchChromium } from './chromium.ts'
import { type Serving, serve } from './serve.ts'

export { expect, type Page } from '@playwright/test'

/** One browser over one profile that began empty. */
export interface Profile {
  /** A new tab at a path of the test server, loaded. */
  open(path: string): Promise<Page>
  /** Ends the whole browser, every tab at once, and starts it again over what it stored. */
  restart(): Promise<void>
  readonly context: BrowserContext
}

declare global {
  interface Window {
    /** On the blank page. */
    tabkeeper: typeof import('../../src/index.ts')
  }
}

interface TestFixtures {
  readonly profile: Profile
  /** Opens `count` blank pages side by side; `window.tabkeeper` is the library in each. */
  readonly tabs: (count: number) => Promise<Page[]>
  /** Opens `count` blank pages that share nothing: each as if in a browser of its own. */
  readonly browsers: (count: number) => Promise<Page[]>
  /** Kills a page's renderer, as an out-of-memory kill does: no handler of the page runs. */
  readonly crash: (page: Page) => Promise<void>
  /**
   * What pages complained about: uncaught errors and console errors. A test fails if some are left at its end; one that
   * expects them takes them out.
   */
  readonly complaints: string[]
}

interface WorkerFixtures {
  readonly chromiumHere: Chromium
  readonly server: Serving
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  chromiumHere: [
    async ({}, use) => {
      await use(await findChromium())
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  server: [
    async ({}, use) => {
      const server = await serve()
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  complaints: [
    async ({}, use) => {
      const complaints: string[] = []
      await use(complaints)
      if (complaints.length > 0) throw new Error(`Pages complained:\n${complaints.join('\n')}`)
    },
    { auto: true },
  ],
  profile: async ({ chromiumHere, server, complaints }, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'tabkeeper-profile-'))
    const launch = async () => {
      const context = await launchChromium(directory, chromiumHere)
      listen(context, complaints)
      return context
    }
    let context = await launch()
    await use({
      get context() {
        return context
      },
      async open(path) {
        const page = await context.newPage()
        await page.goto(`${server.origin}${path}`)
        return page
      },
      async restart() {
        await context.close()
        context = await launch()
      },
    })
    await context.close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  },
  tabs: async ({ profile }, use) => {
    await use((count) => Promise.all(Array.from({ length: count }, () => openBlank(profile))))
  },
  browsers: async ({ profile, server, complaints }, use) => {
    const browser = profile.context.browser()
    if (browser === null) throw new Error('This Chromium makes no further contexts.')
    const contexts: BrowserContext[] = []
    await use((count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const context = await browser.newContext()
          contexts.push(context)
          listen(context, complaints)
          const page = await context.newPage()
          await page.goto(`${server.origin}/test/browser/pages/blank.html`)
          await page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
          return page
        }),
      ),
    )
    for (const context of contexts) await context.close()
  },
  crash: async ({}, use) => {
    await use(async (page) => {
      const session = await page.context().newCDPSession(page)
      const crashed = page.waitForEvent('crash')
      // The renderer that should answer is the one that dies: only the event tells.
      session.send('Page.crash').catch(() => {})
      await crashed
    })
  },
})

async function openBlank(profile: Profile): Promise<Page> {
  const page = await profile.open('/test/browser/pages/blank.html')
  await page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  return page
}

function listen(context: BrowserContext, complaints: string[]): void {
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error().stack ?? error.error().message}`))
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} (${message.location().url})`)
  })
}
