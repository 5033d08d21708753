import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Browser } from 'puppeteer-core'
import { chromiumArgs, findChromium } from '../browser/chromium.ts'
import type { Network } from './network.ts'

/** What runs in a tab: a function with what it needs, and its plain result. */
export interface Tab {
  /** Whose tab it is. */
  readonly device: string
  evaluate<A extends readonly unknown[], R>(run: (...args: A) => R, ...args: A): Promise<Awaited<R>>
  close(): Promise<void>
}

/** A browser on a device. */
export interface Device {
  /** A fresh page with the library in it. */
  open(): Promise<Tab>
  /** The whole browser dies at once. */
  kill(): void
  close(): Promise<void>
}

/** A compiler that keeps the names of functions marks them by this, which pages do not know. */
export const NAMES = 'globalThis.__name = (named) => named'
export const PAGE = 'devices.html'

/** Arguments and results are JSON. */
export const callOf = (run: unknown, args: readonly unknown[]): string => `(${String(run)})(...${JSON.stringify(args)})`

/** Chromium, driven over a pipe: nothing of the driver is on the device's network. */
export async function startChromium(network: Network, device: string, origin: string): Promise<Device> {
  const { executablePath, env } = await findChromium()
  const home = mkdtempSync(join(tmpdir(), 'tabkeeper-device-'))
  const wrapper = join(home, 'start')
  const [command, args] = network.on(device, executablePath)
  writeFileSync(wrapper, `#!/bin/sh\nexec ${command} ${args.join(' ')} "$@"\n`)
  chmodSync(wrapper, 0o755)
  const browser = await puppeteer.launch({
    executablePath: wrapper,
    env: { ...process.env, ...env },
    userDataDir: join(home, 'profile'),
    headless: true,
    pipe: true,
    args: [...chromiumArgs(), `--unsafely-treat-insecure-origin-as-secure=${origin}`],
  })
  return {
    open: () => openTab(browser, device, `${origin}/${PAGE}`),
    kill: () => void browser.process()?.kill('SIGKILL'),
    async close() {
      await browser.close().catch(() => undefined)
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function openTab(browser: Browser, device: string, url: string): Promise<Tab> {
  const page = await browser.newPage()
  await page.evaluateOnNewDocument(NAMES)
  await page.goto(url)
  await page.waitForFunction(() => 'tabkeeper' in window, { polling: 50 })
  page.on('pageerror', (error) => console.error(`${device}: uncaught ${String(error)}`))
  return {
    device,
    evaluate: (run, ...args) => page.evaluate(callOf(run, args)) as never,
    close: () => page.close(),
  }
}
