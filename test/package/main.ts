// What a user gets: packs the library, installs the tarball in an empty Vite application outside the project, builds and serves
// it, and reads in one Chromium tab what another one wrote. Run it with `npm run test:package`.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from '@playwright/test'
import { build, createServer, preview } from 'vite'
import { launchChromium } from '../browser/chromium.ts'

interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')
const bin = (name: string) => join(top, 'node_modules/.bin', name)
const say = (line: string) => console.log(`package: ${line}`)

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

function pack(into: string): string {
  run(process.execPath, ['scripts/prune-dist.mjs'], top)
  run(bin('tsc'), ['-b', 'src', 'workers', 'src/node'], top)
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', into], top)) as [
    Packed,
  ]
  checkFiles(packed.files.map((file) => file.path))
  say(`${packed.files.length} files, ${kib(packed.size)} packed, ${kib(packed.unpackedSize)} unpacked`)
  return join(into, packed.filename)
}

const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`

/** What a user needs is there, and nothing that a deleted source left behind. */
function checkFiles(paths: readonly string[]): void {
  for (const path of [
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/workers/replica.js',
    'dist/workers/timers.js',
    'dist/src/node/cli.js',
    'LICENSE',
    'README.md',
  ]) {
    if (!paths.includes(path)) throw new Error(`The package lacks ${path}.`)
  }
  for (const path of paths) {
    const source = /^dist\/(.*?)\.(?:js|d\.ts)(?:\.map)?$/.exec(path)?.[1]
    if (source && !existsSync(join(top, `${source}.ts`))) throw new Error(`${path} has no source.`)
  }
}

/** Pages load nothing of what is for Node. */
function checkBundle(assets: string): void {
  for (const name of readdirSync(assets)) {
    const strange = /classic-level|__vite-browser-external|WebSocketServer/.exec(
      readFileSync(join(assets, name), 'utf8'),
    )
    if (strange !== null) throw new Error(`The page's ${name} holds ${strange[0]}.`)
  }
}

function install(app: string, tarball: string): void {
  cpSync(join(top, 'test/package/app'), app, { recursive: true })
  const { version } = JSON.parse(readFileSync(join(top, 'node_modules/vite/package.json'), 'utf8')) as {
    version: string
  }
  const manifest = { name: 'app', private: true, type: 'module', devDependencies: { vite: version } }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], app)
}

/** One tab writes, the other reads; both run the installed package. */
async function twoTabs(context: BrowserContext, url: string): Promise<void> {
  const errors: string[] = []
  context.on('weberror', (error) => errors.push(String(error.error().stack)))
  const open = async (): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(url)
    await page
      .waitForFunction(() => 'app' in window, undefined, { polling: 50 })
      .catch((error: Error) => {
        throw new Error(`The application did not start: ${[...errors, error.message].join('\n')}`)
      })
    return page
  }
  const [one, two] = await Promise.all([open(), open()])
  await one.evaluate(() => window.app.write('/greeting', 'from the other tab'))
  const read = await two.evaluate(() => window.app.read('/greeting'))
  if (read !== 'from the other tab') throw new Error(`The second tab read ${JSON.stringify(read)}.`)
  if (errors.length > 0) throw new Error(errors.join('\n'))
  await Promise.all([one.close(), two.close()])
}

async function inBrowser(url: string, profile: string): Promise<void> {
  const context = await launchChromium(profile)
  try {
    await twoTabs(context, url)
  } finally {
    await context.close()
  }
}

const temporary = mkdtempSync(join(tmpdir(), 'tabkeeper-package-'))
try {
  const tarball = pack(temporary)
  run(bin('publint'), ['run', tarball, '--strict'], temporary)
  say('publint has nothing to say')
  run(bin('attw'), [tarball, '--profile', 'esm-only'], temporary)
  say('types resolve as attw wants them')

  const app = join(temporary, 'app')
  install(app, tarball)
  say('installed in an empty application')

  const version = run(join(app, 'node_modules/.bin/tabkeeper'), ['--version'], app)
  if (!/^tabkeeper \d/.test(version)) throw new Error(`Its command said ${JSON.stringify(version)}.`)
  say('its command runs')

  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'esnext,dom']
  run(bin('tsc'), [...strict, '--module', 'preserve', '--types', '', 'main.ts'], app)
  say('its declarations are sound, those of its dependencies too')

  const quiet = { root: app, configFile: false, logLevel: 'warn' } as const
  await build(quiet)
  checkBundle(join(app, 'dist/assets'))
  const built = await preview({ ...quiet, preview: { host: '127.0.0.1', port: 0 } })
  await inBrowser(built.resolvedUrls?.local[0] ?? '', join(temporary, 'profile-built'))
  await built.close()
  say('two tabs of the built application agree')

  const served = await createServer({ ...quiet, server: { host: '127.0.0.1', port: 0 } })
  await served.listen()
  await inBrowser(served.resolvedUrls?.local[0] ?? '', join(temporary, 'profile-served'))
  await served.close()
  say('two tabs of the application under the development server agree')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
}
