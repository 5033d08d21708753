import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')

interface Room {
  readonly imports: readonly string[]
}
const table = JSON.parse(readFileSync(join(top, 'rooms.json'), 'utf8')) as {
  readonly rooms: Readonly<Record<string, Room>>
  readonly roots: Readonly<Record<string, Room>>
}

const MAX_LINES = 350
/** Names that say nothing: what is put there belongs to some concept. */
const EMPTY_NAMES = /^(?:utils?|helpers?|common|misc|shared|manager|.*-(?:utils?|helpers?|manager))\./

function sources(dir: string): string[] {
  return readdirSync(join(top, dir), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
    .map((entry) => relative(top, join(entry.parentPath, entry.name)))
    .sort()
}

/** What a file's text imports, by `import`, `export … from`, `import()` or in a type. */
function imported(path: string): string[] {
  const text = readFileSync(join(top, path), 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"\n]+)['"]/g)].map((match) => match[1] as string)
}

/** The room, or the root, that a path of this project lies in. */
function roomOf(path: string): string {
  const [first, second = ''] = path.split('/')
  if (first !== 'src') return first ?? ''
  return second.includes('.') ? path : second
}

function forbidden(path: string): string[] {
  const own = roomOf(path)
  const allowed = (table.rooms[own] ?? table.roots[own])?.imports
  if (!allowed) return [`${path}: ${own} is not in rooms.json`]
  return imported(path)
    .filter((name) => name.startsWith('.'))
    .map((name) => roomOf(relative(top, join(top, dirname(path), name))))
    .filter((target) => target !== own && !allowed.includes(target))
    .map((target) => `${path} imports ${target}`)
}

const product = [...sources('src'), ...sources('workers'), ...sources('demo')]
const everything = [...product, ...sources('test'), ...sources('bench'), ...sources('scripts')]

describe('rooms.json', () => {
  test('is what the compiler and the linter were told', () => {
    execFileSync(process.execPath, [join(top, 'scripts/rooms.mjs'), '--check'], { stdio: 'pipe' })
  })

  test('has no circle', () => {
    const seen = new Set<string>()
    const visit = (name: string, above: readonly string[]): void => {
      expect(above, `a circle: ${[...above, name].join(' → ')}`).not.toContain(name)
      if (seen.has(name)) return
      for (const next of table.rooms[name]?.imports ?? []) visit(next, [...above, name])
      seen.add(name)
    }
    for (const name of Object.keys(table.rooms)) visit(name, [])
  })

  test('allows every import that a source file makes', () => {
    expect(product.length).toBeGreaterThan(20)
    expect(product.flatMap(forbidden)).toEqual([])
  })

  test('keeps pure rooms free of packages that reach outside', () => {
    const outside = product
      .filter((path) => ['base', 'jute', 'zab', 'tree', 'server'].includes(roomOf(path)))
      .flatMap((path) => imported(path).map((name) => [path, name] as const))
      .filter(([, name]) => !name.startsWith('.') && !name.startsWith('@noble/'))
    expect(outside).toEqual([])
  })
})

describe('files', () => {
  test(`have at most ${MAX_LINES} lines`, () => {
    const long = everything.filter(
      (path) => readFileSync(join(top, path), 'utf8').trimEnd().split('\n').length > MAX_LINES,
    )
    expect(long).toEqual([])
  })

  test('are named after something', () => {
    expect(everything.filter((path) => EMPTY_NAMES.test(basename(path)))).toEqual([])
  })

  test('import simple-peer in one place only', () => {
    const users = (name: string) => product.filter((path) => imported(path).some((one) => one.split('/')[0] === name))
    expect(users('simple-peer').length, users('simple-peer').join()).toBeLessThanOrEqual(1)
  })
})
