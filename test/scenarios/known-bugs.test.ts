import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { titleOf } from './script.ts'

const page = join(import.meta.dirname, '../../docs/known-bugs.md')
const rows = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => /^\| Z-/.test(line))

/** `ZOOKEEPER-1154, 1156` → Z-1154 and Z-1156. */
const named = (title: string): string[] =>
  [...title.matchAll(/ZOOKEEPER-((?:\d+(?:, )?)+)/g)].flatMap(([, list = '']) => list.split(', ').map((n) => `Z-${n}`))

const scenarios = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'))

test('the table knows every story that names a bug, and puts it beside that bug', () => {
  const told = scenarios.flatMap((name) =>
    named(titleOf(readFileSync(join(import.meta.dirname, name), 'utf8'))).map((bug) => ({ name, bug })),
  )
  expect(told.length).toBeGreaterThan(40)
  const missing = told.filter(
    ({ name, bug }) =>
      !rows.some((row) => new RegExp(`${bug}\\b`).test(row) && row.includes(`(../test/scenarios/${name})`)),
  )
  expect(missing).toEqual([])
})

test('every bug of the table has a story or a test, and it is there', () => {
  expect(rows.length).toBeGreaterThan(40)
  for (const row of rows) {
    const links = [...row.matchAll(/\]\(([^)#]+)/g)].map(([, to = '']) => join(dirname(page), to))
    expect(links, row).not.toEqual([])
    for (const link of links) expect(existsSync(link), link).toBe(true)
  }
})
