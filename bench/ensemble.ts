import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { launchChromium } from '../test/browser/chromium.ts'
import { serve } from '../test/browser/serve.ts'
import type { Contender } from './contest.ts'
import type { Sample, Workload } from './workload.ts'

declare global {
  interface Window {
    bench: {
      open(ensemble: string): Promise<void>
      role(): Promise<string>
      voters(): Promise<number>
      run(workload: Workload): Promise<Sample>
    }
  }
}

/** Three tabs of one Chromium, each a voter, through a tab that follows. */
export async function openTabs(): Promise<Contender> {
  const profile = mkdtempSync(join(tmpdir(), 'tabkeeper-bench-'))
  const server = await serve()
  const context = await launchChromium(profile)
  const stop = async () => {
    await context.close()
    await server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const pages: Page[] = []
    for (let tab = 0; tab < 3; tab++) {
      const page = await context.newPage()
      await page.goto(`${server.origin}/bench/pages/ensemble.html`)
      await page.waitForFunction(() => 'bench' in window, undefined, { polling: 50 })
      await page.evaluate(() => window.bench.open('bench'))
      pages.push(page)
    }
    const follower = await waitForFollower(pages)
    return {
      name: 'tabkeeper, 3 tabs',
      version: `Chromium ${context.browser()?.version() ?? ''}`,
      run: (workload) => follower.evaluate((one) => window.bench.run(one), workload),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** All three vote before anything is measured: fewer would be an easier task. */
async function waitForFollower(pages: readonly Page[]): Promise<Page> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const roles = await Promise.all(pages.map((page) => page.evaluate(() => window.bench.role())))
    const voters = await pages[0]?.evaluate(() => window.bench.voters())
    const follower = pages[roles.indexOf('following')]
    if (voters === pages.length && follower && roles.includes('leading')) return follower
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('The three tabs did not become three voters within 60 seconds.')
}
