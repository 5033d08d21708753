import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Keeper, KeeperOpenOptions } from '../../src/index.ts'
import { chromiumArgs, findChromium } from './chromium.ts'

export type { Page } from 'puppeteer-core'

declare global {
  interface Window {
    keeper: Keeper
    /** States and notices. */
    told: string[]
    /** When requests were sent and answered, `Date.now()`. */
    writes: { readonly sent: number; readonly acked: number }[]
    /** The timer of a page that writes at a rate. */
    pace: ReturnType<typeof setInterval>
  }
}

/** A tab whose process can be told apart: what Playwright cannot do to a page (it keeps all focused, so none freezes) is done to these. */
export interface Puppet {
  readonly page: Page
  /** Its renderer's process. */
  readonly pid: number
  freeze(): Promise<void>
  thaw(): Promise<void>
  crash(): Promise<void>
}

/** In the page: the development server's own WebSocket never opens. After a freeze its client would find it broken, and reload the page. */
function withoutHotReload(): void {
  window.WebSocket = new Proxy(window.WebSocket, {
    construct: (target, [url, protocols]: [string, string?]) =>
      protocols?.startsWith('vite') ? new EventTarget() : new target(url, protocols),
  })
}

/** A browser over one profile, without the flags that keep hidden pages awake. */
export class Puppets {
  /** The test server's. */
  readonly origin: string
  readonly #profile = mkdtempSync(join(tmpdir(), 'tabkeeper-puppets-'))
  readonly #args: readonly string[]
  readonly #find: typeof findChromium
  #browser: Browser | null = null

  /** `args`: more arguments of Chromium. `find`: which one. */
  constructor(origin: string, args: readonly string[] = [], find = findChromium) {
    this.origin = origin
    this.#args = args
    this.#find = find
  }

  /** The browser's own process. */
  get pid(): number {
    return this.#browser?.process()?.pid ?? 0
  }

  async start(): Promise<void> {
    const { executablePath, env } = await this.#find()
    this.#browser = await puppeteer.launch({
      executablePath,
      env: { ...process.env, ...env },
      userDataDir: this.#profile,
      headless: true,
      // Without a spare renderer, so that a new one is the new tab's.
      args: [...chromiumArgs('SpareRendererForSitePerProcess'), ...this.#args],
      ignoreDefaultArgs: [
        '--disable-background-timer-throttling',
        '--disable-backgrounding-occluded-windows',
        '--disable-renderer-backgrounding',
      ],
    })
  }

  /** A blank page of the test server, loaded, in a renderer of its own. */
  async open(): Promise<Puppet> {
    const before = await this.#renderers()
    const page = await this.#started().newPage()
    await page.evaluateOnNewDocument(withoutHotReload)
    await page.goto(`${this.origin}/test/browser/pages/blank.html`)
    await page.waitForFunction(() => 'tabkeeper' in window, { polling: 50 })
    const [pid] = (await this.#renderers()).filter((one) => !before.includes(one))
    if (pid === undefined) throw new Error('The new tab has no renderer of its own.')
    return this.#puppet(page, pid)
  }

  /** The same by `window.open` from another tab: one renderer, and the session storage copied. */
  async openFrom(opener: Puppet): Promise<Puppet> {
    const opened = new Promise<Page>((resolve) => {
      opener.page.once('popup', (page) => resolve(page as Page))
    })
    await opener.page.evaluate((url) => {
      window.open(url)
    }, `${this.origin}/test/browser/pages/blank.html`)
    const page = await opened
    await page.waitForFunction(() => 'tabkeeper' in window, { polling: 50 })
    return this.#puppet(page, opener.pid)
  }

  /** The whole browser dies at once, as by a power cut; what it stored stays. */
  async kill(): Promise<void> {
    const { pid } = this
    process.kill(pid, 'SIGKILL')
    await gone(pid)
    this.#browser = null
  }

  /** Every page is left and the browser ends; what it stored stays. */
  async quit(): Promise<void> {
    await this.#browser?.close()
    this.#browser = null
  }

  /** While the browser does not run: what it stored, aside. */
  keepCopy(): string {
    const copy = `${this.#profile}-copy`
    cpSync(this.#profile, copy, { recursive: true })
    return copy
  }

  /** While the browser does not run: as a backup is put back. The copy is used up. */
  putBack(copy: string): void {
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
    renameSync(copy, this.#profile)
  }

  async end(): Promise<void> {
    await this.quit()
    rmSync(`${this.#profile}-copy`, { recursive: true, force: true })
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  #started(): Browser {
    if (this.#browser === null) throw new Error('The browser is not running.')
    return this.#browser
  }

  async #puppet(page: Page, pid: number): Promise<Puppet> {
    const session = await page.createCDPSession()
    const state = (to: 'frozen' | 'active'): Promise<void> =>
      session.send('Page.setWebLifecycleState', { state: to }).then(() => undefined)
    return {
      page,
      pid,
      freeze: () => state('frozen'),
      thaw: () => state('active'),
      async crash() {
        // The renderer that should answer is the one that dies.
        const crashed = new Promise((resolve) => page.once('error', resolve))
        session.send('Page.crash' as never).catch(() => undefined)
        await crashed
      },
    }
  }

  async #renderers(): Promise<number[]> {
    const session = await this.#started().target().createCDPSession()
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    await session.detach()
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  }
}

/** Until there is no such process. */
async function gone(pid: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`process ${pid} lives on`)
}

/** Who leads goes on to lead though its page is hidden, as all but one are here: for tests in which something else deposes it. */
export const NO_GIVING_WAY = { handoverAfterHidden: 86_400_000 } as const

export const openKeeper = (
  puppet: Puppet,
  ensemble: string,
  sessionTimeout = 4000,
  options: Partial<Omit<KeeperOpenOptions, 'ensemble'>> = {},
): Promise<void> =>
  puppet.page.evaluate(
    async (name, timeout, rest) => {
      window.told = []
      window.keeper = await window.tabkeeper.Keeper.open({
        ...rest,
        ensemble: name,
        sessionTimeout: timeout,
        onNotice: ({ code, message }) => window.told.push(`${code}: ${message}`),
      })
      window.keeper.addEventListener('state', ({ detail }) => window.told.push(`${detail.state}: ${detail.reason}`))
    },
    ensemble,
    sessionTimeout,
    options,
  )

export const inspectPuppet = (puppet: Puppet) =>
  puppet.page.evaluate(async () => {
    const { role, leader, replica, voters, zxid, incarnation } = await window.keeper.inspect()
    return { role, leader, replica, voters, zxid, incarnation }
  })

/** Writes on and on, one request at a time; `window.writes` has when. */
export const keepWriting = (puppet: Puppet, path: string): Promise<void> =>
  puppet.page.evaluate(async (at) => {
    window.writes = []
    if ((await window.keeper.exists(at)) === null) await window.keeper.create(at)
    const write = async (): Promise<void> => {
      while (window.keeper.state !== 'closed' && window.keeper.state !== 'lost') {
        const sent = Date.now()
        await window.keeper.setData(at, String(sent)).then(
          () => window.writes.push({ sent, acked: Date.now() }),
          () => undefined,
        )
      }
    }
    void write()
  }, path)

/**
 * Milliseconds: the longest time without an answer to this page's writes, from the last one before `since` until those to writes that were sent `watched`
 * milliseconds after it. Whenever a death takes effect, this is what the page noticed of it.
 */
export async function longestPause(puppet: Puppet, since: number, watched: number): Promise<number> {
  const pause = await puppet.page.waitForFunction(
    (from, until) => {
      if (!window.writes.some(({ sent }) => sent >= until)) return null
      const answers = window.writes.map(({ acked }) => acked)
      const first = Math.max(
        0,
        answers.findLastIndex((at) => at <= from),
      )
      const pauses = answers.slice(first + 1).map((at, i) => at - (answers[first + i] ?? at))
      return { longest: Math.max(...pauses) }
    },
    { polling: 50, timeout: 30_000 },
    since,
    since + watched,
  )
  return ((await pause.jsonValue()) as { readonly longest: number }).longest
}

/** Milliseconds from `since` until the node is gone as this page sees it. */
export async function untilGoneFor(puppet: Puppet, path: string, since: number): Promise<number> {
  const at = await puppet.page.evaluate(
    (watched) =>
      new Promise<number>((resolve, reject) => {
        const look = async (): Promise<void> => {
          const there = await window.keeper.exists(watched, { watch: () => void look().catch(reject) })
          if (there === null) resolve(Date.now())
        }
        look().catch(reject)
      }),
    path,
  )
  return at - since
}
