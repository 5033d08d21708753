import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeError } from '../../../src/jute/reader.ts'
import { Writer } from '../../../src/jute/writer.ts'
import {
  decodeConfig,
  decodeFormat,
  encodeConfig,
  encodeFormat,
  foundingEntries,
  isVoter,
  votersOf,
} from '../../../src/zab/membership.ts'
import { ENSEMBLE, r, voters, z } from './subject.ts'

const ids = fc.uniqueArray(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(r), { minLength: 1, maxLength: 15 })

test('a configuration comes back as it was', () => {
  fc.assert(
    fc.property(ids, fc.option(ids), fc.option(fc.integer({ min: 2, max: 2 ** 31 - 1 })), (now, old, format) => {
      const config = { ensemble: ENSEMBLE, voters: now, old, ...(format === null ? {} : { format }) }
      expect(decodeConfig(encodeConfig(config))).toEqual(config)
    }),
  )
})

const raw = (ensemble: string, now: readonly number[], version = 1): Uint8Array =>
  new Writer()
    .byte(version)
    .string(ensemble)
    .vector(now, (to, id) => to.long(id))
    .bool(false)
    .finish()

test.each([
  ['of a later version', raw(ENSEMBLE, [1], 2)],
  ['of no ensemble', raw('nobody', [1])],
  ['without voters', raw(ENSEMBLE, [])],
  [
    'with too many',
    raw(
      ENSEMBLE,
      Array.from({ length: 16 }, (_, i) => i + 1),
    ),
  ],
  ['with one twice', raw(ENSEMBLE, [1, 1])],
  ['with nobody', raw(ENSEMBLE, [0])],
  ['cut off', raw(ENSEMBLE, [1]).slice(0, -1)],
  ['with a rest', new Uint8Array([...raw(ENSEMBLE, [1]), 0])],
  ['of a format that needs no saying', new Uint8Array([...raw(ENSEMBLE, [1]), 0, 0, 0, 1])],
  ['empty', new Uint8Array(0)],
])('a record %s is refused', (_what, bytes) => {
  expect(() => decodeConfig(bytes)).toThrow(DecodeError)
})

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const read of [decodeConfig, decodeFormat]) {
        try {
          read(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }
    }),
  )
  expect(decodeFormat(encodeFormat(7))).toBe(7)
})

test('while joint, the members of both vote, each of them once', () => {
  const joint = { ensemble: ENSEMBLE, voters: voters(1, 2, 3), old: voters(3, 4) }
  expect(votersOf(joint)).toEqual([1, 2, 3, 4])
  expect([1, 2, 3, 4, 5].map((id) => isVoter(joint, r(id)))).toEqual([true, true, true, true, false])
  expect(votersOf({ ...joint, old: null })).toEqual([1, 2, 3])
  expect(votersOf(null)).toEqual([])
  expect(isVoter(null, r(1))).toBe(false)
})

test('an ensemble is founded by one voter and the format of its log', () => {
  const [config, format] = foundingEntries(ENSEMBLE, r(5), [z(0, 1), z(0, 2)])
  expect(decodeConfig(config?.bytes as Uint8Array)).toEqual({ ensemble: ENSEMBLE, voters: [5], old: null })
  expect([config?.kind, format?.kind, decodeFormat(format?.bytes as Uint8Array)]).toEqual(['config', 'format', 1])
})
