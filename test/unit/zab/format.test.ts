import { expect, test } from 'vitest'
import type { Entry } from '../../../src/zab/entry.ts'
import { demandReadable, formatAsked } from '../../../src/zab/format.ts'
import { encodeConfig, encodeFormat } from '../../../src/zab/membership.ts'
import { configEntry, ENSEMBLE, txn, voters, z } from './subject.ts'

const raised = (format: number): Entry => ({
  zxid: z(1, 1),
  kind: 'config',
  bytes: encodeConfig({ ensemble: ENSEMBLE, voters: voters(1), old: null, format }),
})

test('what a page must know to read a log, or what it is told to append, is the highest format in it', () => {
  expect(formatAsked([])).toBe(1)
  expect(formatAsked([{ kind: 'append', entries: [configEntry(z(0, 1), [1]), txn(z(0, 2))] }])).toBe(1)
  expect(formatAsked([{ kind: 'append', entries: [raised(3), txn(z(1, 2))] }])).toBe(3)
  const record: Entry = { zxid: z(1, 1), kind: 'format', bytes: encodeFormat(4) }
  expect(formatAsked([{ kind: 'append', entries: [raised(3), record] }])).toBe(4)
  // A snapshot stands at no record; the configuration that was in force says it.
  expect(formatAsked([{ kind: 'install', zxid: z(1, 9), config: raised(2), chunks: [] }])).toBe(2)
})

test('a log of a later build is refused before anything of it is applied', () => {
  const log = { baseConfig: raised(2), entries: [txn(z(1, 2))] }
  expect(() => demandReadable(log, 2)).not.toThrow()
  expect(() => demandReadable(log, 1)).toThrow(expect.objectContaining({ code: 'UpdateNeeded' }))
  expect(() => demandReadable({ baseConfig: null, entries: [raised(3)] }, 2)).toThrow(/format 3, this page knows 2/)
})
