import { execFileSync, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, createBrotliDecompress } from 'node:zlib'
import { type BrowserContext, chromium } from '@playwright/test'

/** A Chromium that can be started here, and what its process needs in its environment. */
export interface Chromium {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
  readonly source: 'path' | 'system' | 'npm' | 'playwright'
}

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')
const SYSTEM_NAMES = ['chromium', 'google-chrome-stable', 'google-chrome', 'chromium-browser']

/**
 * The first of: the environment's CHROMIUM_PATH, a Chromium or Chrome in PATH, the one in the npm package
 * `@sparticuz/chromium` (x64 Linux), Playwright's own. `TABKEEPER_CHROMIUM=npm` (or `system`, `playwright`) asks for one kind.
 * Throws an Error whose message is one sentence that names what to install.
 */
export async function findChromium(): Promise<Chromium> {
  const wanted = process.env['TABKEEPER_CHROMIUM']
  const path = process.env['CHROMIUM_PATH']
  if (path && wanted === undefined) {
    if (!existsSync(path)) throw new Error(`CHROMIUM_PATH names ${path}, where there is no file.`)
    return { executablePath: path, env: {}, source: 'path' }
  }
  const found =
    (wanted === undefined || wanted === 'system' ? systemChromium() : null) ??
    (wanted === undefined || wanted === 'npm' ? await npmChromium() : null) ??
    (wanted === undefined || wanted === 'playwright' ? playwrightChromium() : null)
  if (found) return found
  throw new Error(
    'No Chromium was found: install the package chromium, set CHROMIUM_PATH to a browser, or run npx playwright install chromium.',
  )
}

/**
 * The same, but no headless shell, such as the one from npm: that hides no page behind another, and keeps none for "back".
 * Throws an Error whose message is one sentence that names what to install.
 */
export async function findWholeChromium(): Promise<Chromium> {
  const found = await findChromium()
  if (found.source === 'npm' || /headless[-_]shell/.test(basename(found.executablePath))) {
    throw new Error(
      `A whole Chromium or Chrome is needed, and ${found.executablePath} is a headless shell: install the package chromium, or set CHROMIUM_PATH to a browser.`,
    )
  }
  return found
}

/** What every launch passes; `without`: more features to turn off. Host candidates keep their addresses, so that no test waits for multicast DNS. */
export function chromiumArgs(...without: readonly string[]): string[] {
  const root = process.getuid?.() === 0
  return [
    ...(root ? ['--no-sandbox'] : []),
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-sync',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--disable-features=${['WebRtcHideLocalIpsWithMdns', ...without].join(',')}`,
  ]
}

/** Starts the Chromium that `findChromium` gives, headless, over a profile in a directory. */
export async function launchChromium(profile: string, found?: Chromium): Promise<BrowserContext> {
  const { executablePath, env } = found ?? (await findChromium())
  return await chromium.launchPersistentContext(profile, {
    executablePath,
    env: { ...process.env, ...env },
    args: chromiumArgs(),
    headless: true,
  })
}

function systemChromium(): Chromium | null {
  for (const name of SYSTEM_NAMES) {
    for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
      const file = join(dir, name)
      if (dir !== '' && isExecutable(file) && answersVersion(file))
        return { executablePath: file, env: {}, source: 'system' }
    }
  }
  return null
}

/** Some distributions install a launcher script that only asks to install the browser. */
function answersVersion(file: string): boolean {
  return spawnSync(file, ['--version'], { timeout: 20_000, stdio: 'ignore' }).status === 0
}

function playwrightChromium(): Chromium | null {
  const file = chromium.executablePath()
  return file && isExecutable(file) ? { executablePath: file, env: {}, source: 'playwright' } : null
}

/** Unpacked once for each version; the directory appears whole or not at all, so a killed run leaves nothing half done. */
async function npmChromium(): Promise<Chromium | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const pack = npmPackage()
  if (!pack) return null
  const home = join(top, 'node_modules/.cache/tabkeeper', `chromium-${pack.version}`)
  if (!existsSync(home)) {
    mkdirSync(dirname(home), { recursive: true })
    const fresh = mkdtempSync(`${home}-`)
    try {
      await pipeline(
        createReadStream(join(pack.bin, 'chromium.br')),
        createBrotliDecompress(),
        createWriteStream(join(fresh, 'chromium'), { mode: 0o755 }),
      )
      unpack(join(pack.bin, 'al2023.tar.br'), fresh)
      unpack(join(pack.bin, 'fonts.tar.br'), fresh)
      writeFileSync(join(fresh, 'fonts.conf'), fontsConf(home))
      if (!existsSync(home)) renameSync(fresh, home)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  }
  const executablePath = join(home, 'chromium')
  const env: Record<string, string> = {}
  if (lacksLibraries(executablePath)) {
    env['LD_LIBRARY_PATH'] = [join(home, 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter)
  }
  if (!existsSync('/etc/fonts/fonts.conf')) env['FONTCONFIG_PATH'] = home
  return { executablePath, env, source: 'npm' }
}

function npmPackage(): { readonly bin: string; readonly version: string } | null {
  try {
    const home = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../..')
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
    return { bin: join(home, 'bin'), version }
  } catch {
    return null
  }
}

function unpack(archive: string, into: string): void {
  execFileSync('tar', ['-x', '-C', into], { input: brotliDecompressSync(readFileSync(archive)), maxBuffer: 1 << 20 })
}

/** The package's own names directories of the cloud it was made for. */
const fontsConf = (home: string): string =>
  `<?xml version="1.0"?>\n<fontconfig><dir>${home}/fonts</dir><cachedir>${home}/fonts-cache</cachedir></fontconfig>\n`

function lacksLibraries(file: string): boolean {
  const { status, stdout } = spawnSync('ldd', [file], { encoding: 'utf8' })
  return status !== 0 || stdout.includes('not found')
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
