// Writes what follows from rooms.json: one tsconfig a room (the compiler is the wall), the house plan in tsconfig.json, and
// the import bans in biome.json. `--check` writes nothing and exits 1 where a file differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const table = JSON.parse(readFileSync(join(top, 'rooms.json'), 'utf8'))
const json = (value) => `${JSON.stringify(value, null, 2)}\n`

function room(dir, { imports, lib, types }, extra = {}) {
  const up = relative(join(top, dir), top) || '.'
  return json({
    extends: `${up}/tsconfig.base.json`,
    compilerOptions: {
      lib,
      ...(types ? { types } : {}),
      rootDir: up,
      outDir: `${up}/dist`,
      tsBuildInfoFile: `${up}/dist/${dir}/.tsbuildinfo`,
      ...extra.compilerOptions,
    },
    include: extra.include ?? ['.'],
    ...(extra.exclude ? { exclude: extra.exclude } : {}),
    references: imports.map((name) => ({ path: target(up, name) })),
  })
}

const target = (up, name) => (name === 'src/index.ts' ? `${up}/src/tsconfig.json` : `${up}/src/${name}`)

export function files() {
  const out = new Map()
  const rooms = Object.entries(table.rooms)
  for (const [name, spec] of rooms) out.set(`src/${name}/tsconfig.json`, room(`src/${name}`, spec))
  out.set('src/tsconfig.json', room('src', table.roots['src/index.ts'], { include: ['index.ts'] }))
  out.set('workers/tsconfig.json', room('workers', table.roots.workers))
  out.set(
    'demo/tsconfig.json',
    room('demo', table.roots.demo, {
      compilerOptions: {
        noEmit: true,
        composite: false,
        declarationMap: false,
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
        types: ['vite/client'],
      },
    }),
  )
  const all = [...rooms.map(([name]) => `./src/${name}`), './src/tsconfig.json', './workers', './demo', './test']
  out.set('tsconfig.json', json({ files: [], references: all.map((path) => ({ path })) }))
  return out
}

export function biomeOverrides() {
  const names = Object.keys(table.rooms)
  return Object.entries(table.rooms).map(([name, { imports, pure, clockless }]) => {
    const banned = names.filter((other) => other !== name && !imports.includes(other))
    const clock = [
      'setTimeout',
      'setInterval',
      'queueMicrotask',
      'performance',
      'crypto',
      'fetch',
      'console',
      'document',
      'window',
    ]
    return {
      includes: [`src/${name}/**`],
      linter: {
        rules: {
          style: {
            noRestrictedImports: {
              level: 'error',
              options: {
                patterns: [
                  {
                    group: banned.map((other) => `**/${other}/**`),
                    message: `${name} may import only: ${imports.join(', ') || 'nothing'} (rooms.json).`,
                  },
                ],
              },
            },
            ...(pure || clockless
              ? {
                  noRestrictedGlobals: {
                    level: 'error',
                    options: {
                      deniedGlobals: Object.fromEntries(
                        clock
                          .filter((global) => pure || !['queueMicrotask'].includes(global))
                          .map((global) => [
                            global,
                            'This room has no clock, chance, I/O or thread: they are given to it.',
                          ]),
                      ),
                    },
                  },
                }
              : {}),
          },
        },
      },
    }
  })
}

const check = process.argv.includes('--check')
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let wrong = 0
  const put = (path, text) => {
    let now = ''
    try {
      now = readFileSync(join(top, path), 'utf8')
    } catch {}
    if (now === text) return
    if (check) {
      console.error(`${path} does not follow from rooms.json: run node scripts/rooms.mjs`)
      wrong++
    } else writeFileSync(join(top, path), text)
  }
  for (const [path, text] of files()) put(path, text)
  const biome = JSON.parse(readFileSync(join(top, 'biome.json'), 'utf8'))
  const own = (biome.overrides ?? []).filter(
    (one) => !(one.includes?.length === 1 && /^src\/\w+\/\*\*$/.test(one.includes[0])),
  )
  put('biome.json', json({ ...biome, overrides: [...own, ...biomeOverrides()] }))
  process.exit(wrong ? 1 : 0)
}
