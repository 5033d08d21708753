import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Gateway } from '../../src/node/gateway.ts'
import { SignalServer } from '../../src/node/signal-server.ts'
import { launchChromium } from '../browser/chromium.ts'
import { serve } from '../browser/serve.ts'
import type { Report } from '../report.ts'
import { PYTHON } from './requirements.ts'
import { folder, HOST } from './servers.ts'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'kazoo_beside_a_tab.py')
const PATIENCE_MS = 30_000

/** A browser tab and a kazoo client in one ensemble: the tab over WebRTC, kazoo through the gateway that is a member of it. */
export async function besideATab(report: Report): Promise<void> {
  const signal = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0 } })
  const server = await serve()
  const profile = mkdtempSync(join(tmpdir(), 'tabkeeper-shared-'))
  const browser = await launchChromium(profile)
  const url = `ws://${HOST}:${signal.address.port}`
  let gateway: Gateway | null = null
  let kazoo: Kazoo | null = null
  try {
    const page = await browser.newPage()
    await page.goto(`${server.origin}/test/browser/pages/blank.html`)
    await page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
    await page.evaluate(async (signaling) => {
      window.keeper = await window.tabkeeper.Keeper.open({
        ensemble: 'both',
        signaling: [signaling],
        secret: 'both of us',
      })
      await window.keeper.create('/of-the-tab', 'x', { mode: 'ephemeral' })
    }, url)
    gateway = await Gateway.start({
      listen: { host: HOST, port: 0 },
      data: folder(),
      ensemble: { name: 'both', secret: 'both of us', signal: [url] },
    })
    for (const end = Date.now() + PATIENCE_MS; !(await gateway.inspect()).serving; await sleep(50))
      if (Date.now() > end) throw new Error('the gateway does not serve')
    const python = new Kazoo(`${HOST}:${gateway.address.port}`)
    kazoo = python
    await report.check("kazoo beside a tab: kazoo's watch sees the tab's ephemeral go", async () => {
      await python.says('there')
      await page.evaluate(() => window.keeper.delete('/of-the-tab'))
      await python.says('told DELETED')
    })
    await report.check("kazoo beside a tab: kazoo's lock excludes the tab's", async () => {
      await python.asked('lock', 'locked')
      const free = await page.evaluate(() =>
        window.keeper.locks.request('doc', { ifAvailable: true }, (hold) => hold !== null),
      )
      if (free) throw new Error('the tab got a lock that kazoo holds')
    })
    await report.check(
      "kazoo beside a tab: the tab's lock excludes kazoo's, and each gets it after the other",
      async () => {
        const got = page.evaluate(() =>
          window.keeper.locks.request('doc', async () => {
            await new Promise<void>((resolve) => Object.assign(window, { release: resolve }))
            return 'the tab had it'
          }),
        )
        await python.asked('unlock', 'unlocked')
        await page.waitForFunction(() => 'release' in window, undefined, { polling: 50, timeout: PATIENCE_MS })
        await python.asked('try', 'excluded')
        await page.evaluate(() => (window as unknown as { release(): void }).release())
        if ((await got) !== 'the tab had it') throw new Error('the tab did not get it')
        await python.asked('lock', 'locked')
        await python.asked('end', 'ended')
      },
    )
  } finally {
    kazoo?.kill()
    await browser.close()
    await gateway?.close()
    await server.close()
    await signal.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The script, and what it says. */
class Kazoo {
  readonly #process
  readonly #words: AsyncIterator<string>

  constructor(hosts: string) {
    this.#process = spawn(PYTHON, [SCRIPT, hosts], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#words = createInterface(this.#process.stdout)[Symbol.asyncIterator]()
  }

  async says(expected: string): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS)
    const silence = new Promise<never>((_, reject) =>
      late.addEventListener('abort', () => reject(new Error(`kazoo never said "${expected}"`))),
    )
    const { value } = await Promise.race([this.#words.next(), silence])
    if (value !== expected) throw new Error(`kazoo said "${value}", not "${expected}"`)
  }

  async asked(word: string, expected: string): Promise<void> {
    this.#process.stdin.write(`${word}\n`)
    await this.says(expected)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
