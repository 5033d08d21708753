// Builds the library as it was at a commit into test/browser/fixtures/previous-build: the old tabs of test/browser/upgrade.spec.ts.
// tsx scripts/previous-build.ts <commit>
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const into = join(top, 'test/browser/fixtures/previous-build')
const git = (...args: string[]) => execFileSync('git', args, { cwd: top, maxBuffer: 2 ** 30 })

const [wanted] = process.argv.slice(2)
if (wanted === undefined) throw new Error('Usage: tsx scripts/previous-build.ts <commit>')
const commit = git('rev-parse', `${wanted}^{commit}`).toString().trim()
const source = mkdtempSync(join(tmpdir(), 'tabkeeper-previous-'))
try {
  const sources = git('archive', commit, 'package.json', 'src', 'workers', 'tsconfig.base.json')
  execFileSync('tar', ['-x', '-C', source], { input: sources })
  symlinkSync(join(top, 'node_modules'), join(source, 'node_modules'))
  await build({
    root: source,
    configFile: false,
    base: './',
    logLevel: 'warn',
    worker: { format: 'es', rolldownOptions: { output: { entryFileNames: '[name].js' } } },
    build: {
      outDir: into,
      emptyOutDir: true,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rolldownOptions: {
        input: join(source, 'src/index.ts'),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'tabkeeper.js', chunkFileNames: '[name].js', assetFileNames: '[name][extname]' },
      },
    },
  })
  writeFileSync(join(into, 'commit.txt'), `${commit}\n`)
} finally {
  rmSync(source, { recursive: true, force: true })
}
