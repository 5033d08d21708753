import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasQuorum, majority, quorumZxid } from '../../../src/zab/quorum.ts'
import { ENSEMBLE, r, voters, z } from './subject.ts'

const config = (now: number[], old: number[] | null = null) => ({
  ensemble: ENSEMBLE,
  voters: voters(...now),
  old: old === null ? null : voters(...old),
})

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
])('of %d, %d are a majority', (count, needed) => {
  expect(majority(count)).toBe(needed)
})

test.each([
  [config([1]), [1], true],
  [config([1]), [], false],
  [config([1, 2, 3]), [1, 3], true],
  [config([1, 2, 3]), [3], false],
  // Observers never count (ZOOKEEPER-2959).
  [config([1, 2, 3]), [3, 4, 5, 6], false],
  // Joint: both majorities.
  [config([1, 2, 3], [1]), [2, 3], false],
  [config([1, 2, 3], [1]), [1], false],
  [config([1, 2, 3], [1]), [1, 2], true],
  [config([1], [1, 2, 3]), [1, 3], true],
  [config([4, 5, 6], [1, 2, 3]), [1, 2, 4], false],
  [config([4, 5, 6], [1, 2, 3]), [1, 2, 4, 5], true],
])('%o: is %o a quorum? %s', (of, those, yes) => {
  expect(hasQuorum(of, (id) => those.includes(id))).toBe(yes)
})

test.each([
  [config([1]), { 1: z(1, 5) }, z(1, 5)],
  [config([1, 2, 3]), { 1: z(1, 5), 2: z(1, 3), 3: z(1, 4) }, z(1, 4)],
  [config([1, 2, 3]), { 1: z(1, 5) }, 0],
  [config([1, 2, 3], [1]), { 1: z(1, 2), 2: z(1, 9), 3: z(1, 9) }, z(1, 2)],
  [config([1, 2, 3], [1]), { 1: z(1, 9), 2: z(1, 4), 3: z(1, 3) }, z(1, 4)],
])('%o with acks %o: committed up to %d', (of, acks: Record<number, number>, zxid) => {
  expect(quorumZxid(of, (id) => (acks[id] ?? 0) as never)).toBe(zxid)
})

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 })

test('the zxid of a quorum is the highest for which its holders are one', () => {
  fc.assert(
    fc.property(ids, fc.option(ids), fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }), (now, old, at) => {
      const of = config(now, old)
      const acked = (id: number) => z(1, at[id] ?? 0)
      const zxid = quorumZxid(of, acked)
      expect(hasQuorum(of, (id) => acked(id) >= zxid)).toBe(true)
      expect(hasQuorum(of, (id) => acked(id) > zxid)).toBe(false)
    }),
  )
})

test('two quorums of a configuration meet, and so do those of each step of a change', () => {
  const who = fc.subarray([1, 2, 3, 4, 5, 6, 7])
  fc.assert(
    fc.property(ids, ids, who, who, (from, to, a, b) => {
      const has = (list: number[]) => (id: number) => list.includes(id)
      const steps = [config(from), config(to, from), config(to)]
      for (const [one, other] of [
        [steps[0], steps[0]],
        [steps[0], steps[1]],
        [steps[1], steps[1]],
        [steps[1], steps[2]],
      ]) {
        if (one === undefined || other === undefined) continue
        if (hasQuorum(one, has(a)) && hasQuorum(other, has(b))) expect(a.some((id) => b.includes(id))).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('a replica is no quorum of those that it is not among', () => {
  expect(hasQuorum(config([2]), (id) => id === r(1))).toBe(false)
})
