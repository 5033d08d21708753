import { describe, expect, test } from 'vitest'
import { fromNodeName, toNodeName } from '../../../src/recipes/node-name.ts'
import { holders, sortPlaces, waitsFor } from '../../../src/recipes/place.ts'

const line = (...names: string[]) => sortPlaces(names)
const x = (sequence: number, nonce = 'ab') => `exclusive-${nonce}-${String(sequence).padStart(10, '0')}`
const s = (sequence: number, nonce = 'cd') => `shared-${nonce}-${String(sequence).padStart(10, '0')}`

describe('a line', () => {
  test('is in the order of the sequence numbers, whatever the nonces; strangers are left out', () => {
    expect(line(x(10, 'aa'), 'stranger', s(2, 'ff'), 'exclusive-', x(9, '00')).map(({ sequence }) => sequence)).toEqual(
      [2, 9, 10],
    )
  })

  test('counts the places of kazoo and Curator', () => {
    const names = [
      'aa__rlock__0000000001',
      '_c_aa-lock-0000000002',
      'lock-0000000003',
      'bb__lock__0000000004',
      '_c_cc-__READ__0000000005',
    ]
    const places = line(...names, '_c_dd-__WRIT__0000000006', 'block-0000000007', 'a__lock__x')
    expect(places.map(({ mode }) => mode)).toEqual([
      'shared',
      'exclusive',
      'exclusive',
      'exclusive',
      'shared',
      'exclusive',
    ])
    expect(places.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('an exclusive place waits for the one before it, a shared one for the nearest exclusive one', () => {
    const places = line(s(1), s(2), x(3), s(4), s(5), x(6))
    expect(places.map((_, own) => waitsFor(places, own)?.sequence ?? null)).toEqual([null, null, 2, 3, 3, 5])
    expect(holders(places)).toBe(2)
    expect(holders(line(x(1), s(2)))).toBe(1)
    expect(holders(line(s(1), s(2)))).toBe(2)
    expect(holders([])).toBe(0)
  })
})

test('any name is one path element, there and back', () => {
  for (const name of ['doc:7', 'a/b', '..', '.', 'zookeeper', 'ä 🜁', '%', 'x'.repeat(256)]) {
    const element = toNodeName('name', name)
    expect(element).not.toMatch(/\/|^\.{1,2}$|^zookeeper$/)
    expect(fromNodeName(element)).toBe(name)
  }
  for (const name of ['', 'x'.repeat(257), '\ud800']) expect(() => toNodeName('name', name)).toThrow(/^name must be/)
  expect(fromNodeName('%zz'), 'another page wrote it').toBe('%zz')
})
