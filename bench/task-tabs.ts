import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { launchChromium } from '../test/browser/chromium.ts'
import { serve } from '../test/browser/serve.ts'
import type { TaskLoad, TaskSample } from './task-load.ts'

declare global {
  interface Window {
    taskBench: {
      open(ensemble: string, slots: number): Promise<void>
      state(): Promise<{ readonly role: string; readonly voters: number }>
      run(load: TaskLoad): Promise<TaskSample>
    }
  }
}

/** Tabs of one Chromium, each with a replica and a worker. */
export interface TaskTabs {
  readonly version: string
  /** Opens more until there are so many, and waits until as many vote as shall: three, or all if fewer. */
  grow(tabs: number): Promise<void>
  /** Added and awaited in a tab that follows; in the only one if there is one. */
  run(load: TaskLoad): Promise<TaskSample>
  stop(): Promise<void>
}

export async function openTaskTabs(slots: number): Promise<TaskTabs> {
  const profile = mkdtempSync(join(tmpdir(), 'tabkeeper-bench-'))
  const server = await serve()
  const context = await launchChromium(profile)
  const pages: Page[] = []
  let adder: Page | undefined
  return {
    version: `Chromium ${context.browser()?.version() ?? ''}`,
    async grow(tabs) {
      while (pages.length < tabs) {
        const page = await context.newPage()
        await page.goto(`${server.origin}/bench/pages/tasks.html`)
        await page.waitForFunction(() => 'taskBench' in window, undefined, { polling: 50 })
        await page.evaluate((count) => window.taskBench.open('tasks', count), slots)
        pages.push(page)
      }
      adder = await adderOf(pages)
    },
    async run(load) {
      if (adder === undefined) throw new Error('No tab is open.')
      return await adder.evaluate((one) => window.taskBench.run(one), load)
    },
    async stop() {
      await context.close()
      await server.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Fewer voters than it will have would be an easier task. */
async function adderOf(pages: readonly Page[]): Promise<Page> {
  const voters = Math.min(3, pages.length)
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const states = await Promise.all(pages.map((page) => page.evaluate(() => window.taskBench.state())))
    const adder = pages[states.findIndex(({ role }) => role === (pages.length === 1 ? 'leading' : 'following'))]
    if (adder && states.every((state) => state.voters === voters)) return adder
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`The ${pages.length} tabs did not become an ensemble of ${voters} voters within 60 seconds.`)
}
