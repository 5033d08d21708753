// Firefox on a device, with its driver beside it: they talk over a socket of the device. Told what to do by the process that
// started it: `open` and `evaluate`, each answered once.
import puppeteer, { type Page } from 'puppeteer-core'
import { NAMES } from './device.ts'

const [executablePath = '', url = ''] = process.argv.slice(2)
const { host, hostname } = new URL(url)
const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath,
  headless: true,
  extraPrefsFirefox: {
    'network.connectivity-service.enabled': false,
    'network.captive-portal-service.enabled': false,
    // As Chromium's tests: no test waits for multicast DNS.
    'media.peerconnection.ice.obfuscate_host_addresses': false,
    'dom.securecontext.allowlist': `${hostname},${host}`,
  },
})
let page: Page | null = null

export interface Order {
  readonly id: number
  /** Null: open a fresh page. */
  readonly call: string | null
}

export interface Done {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

async function obey(call: string | null): Promise<unknown> {
  if (call !== null) return await page?.evaluate(call)
  page = await browser.newPage()
  await page.goto(url)
  await page.evaluate(NAMES)
  await page.waitForFunction("'tabkeeper' in window", { polling: 100 })
  return null
}

process.on('message', ({ id, call }: Order) => {
  const tell = (done: Done) => process.send?.(done)
  obey(call).then(
    (value) => tell({ id, value }),
    (error) => tell({ id, error: String(error) }),
  )
})
process.on('disconnect', () => {
  browser.close().finally(() => process.exit())
})
process.send?.({ id: 0 } satisfies Done)
