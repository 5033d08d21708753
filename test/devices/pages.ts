import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** The blank page with the library as an application would bundle it, in a directory that `remove` removes. */
export async function buildPages(): Promise<{ readonly directory: string; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'tabkeeper-devices-'))
  await build({
    root: join(top, 'test/browser/pages'),
    base: './',
    configFile: false,
    logLevel: 'warn',
    worker: { format: 'es' },
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: 'es2022',
      minify: false,
      rollupOptions: { input: join(top, 'test/browser/pages/devices.html') },
    },
  })
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
