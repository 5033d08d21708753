import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  COUNTER_MAX,
  counterOf,
  EPOCH_MAX,
  epochOf,
  follows,
  formatZxid,
  isZxid,
  makeZxid,
  nextZxid,
  ZXID_NONE,
} from '../../../src/base/zxid.ts'

const epoch = fc.oneof(fc.nat(EPOCH_MAX), fc.constantFrom(0, 1, EPOCH_MAX))
const counter = fc.oneof(fc.nat(COUNTER_MAX), fc.constantFrom(0, 1, COUNTER_MAX))

test('epoch and counter come back out, at both ends of their ranges', () => {
  fc.assert(
    fc.property(epoch, counter, (e, c) => {
      const zxid = makeZxid(e, c)
      expect([epochOf(zxid), counterOf(zxid), isZxid(zxid)]).toEqual([e, c, true])
    }),
  )
})

test('less than is the order: epoch first, then counter', () => {
  fc.assert(
    fc.property(epoch, counter, epoch, counter, (e1, c1, e2, c2) => {
      expect(makeZxid(e1, c1) < makeZxid(e2, c2)).toBe(e1 !== e2 ? e1 < e2 : c1 < c2)
    }),
  )
})

test.each([
  [-1, 0],
  [EPOCH_MAX + 1, 0],
  [0, -1],
  [0, COUNTER_MAX + 1],
  [0.5, 0],
  [0, Number.NaN],
])('epoch %s, counter %s make no zxid', (e, c) => {
  expect(() => makeZxid(e, c)).toThrow(/out of range/)
})

test.each([
  [makeZxid(1, 1), makeZxid(1, 2), true],
  [makeZxid(1, 1), makeZxid(1, 1), false],
  [makeZxid(1, 1), makeZxid(1, 3), false],
  [makeZxid(1, 9), makeZxid(2, 1), true],
  [makeZxid(1, 9), makeZxid(5, 1), true],
  [makeZxid(1, 9), makeZxid(2, 2), false],
  [makeZxid(1, 9), makeZxid(2, 0), false],
  [makeZxid(2, 1), makeZxid(1, 1), false],
  [ZXID_NONE, makeZxid(0, 1), true],
  [ZXID_NONE, makeZxid(3, 1), true],
  [makeZxid(1, COUNTER_MAX), makeZxid(2, 1), true],
])('%d, then %d: %s', (previous, next, yes) => {
  expect(follows(previous, next)).toBe(yes)
})

test('a full counter has no next zxid in its epoch', () => {
  expect(nextZxid(makeZxid(3, 4))).toBe(makeZxid(3, 5))
  expect(() => nextZxid(makeZxid(3, COUNTER_MAX))).toThrow(/counter out of range/)
})

test('printed as ZooKeeper prints it, the epoch set off', () => {
  expect(formatZxid(makeZxid(2, 0x1f))).toBe('2:1f')
  expect(formatZxid(makeZxid(26, 255))).toBe('1a:ff')
})

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', 1n, null, undefined])(
  '%s is no zxid',
  (value) => {
    expect(isZxid(value)).toBe(false)
  },
)
