import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The rows of docs/protocol.md's table of messages, cell by cell. */
const rows = (/## Every message\n[\s\S]*?\n## /.exec(read('docs/protocol.md'))?.[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

const kinds = [...read('src/zab/messages.ts').matchAll(/readonly kind: '(\w+)'/g)].map(([, kind = '']) => kind)

test('every message stands in the table of the protocol, and nothing else does', () => {
  expect(kinds.length).toBeGreaterThan(20)
  const named = rows.map(([name = '']) => name[0]?.toLowerCase() + name.slice(1))
  expect([...named].sort()).toEqual([...kinds].sort())
})

test('the table says of each who sends it to whom, when, what it promises, what answers it, and its name in ZooKeeper', () => {
  for (const row of rows) {
    expect(row).toHaveLength(6)
    for (const cell of row) expect(cell, row[0]).not.toBe('')
  }
})
