import fc from 'fast-check'
import { expect, test } from 'vitest'
import { epochOf, type Zxid } from '../../../src/base/zxid.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import {
  append,
  commonZxid,
  configEntryAt,
  configOf,
  entriesBetween,
  epochEnds,
  forget,
  type History,
  holdsZxid,
  lastZxid,
  makeHistory,
  truncate,
} from '../../../src/zab/history.ts'
import { configEntry, txn, voters, z } from './subject.ts'

/** What may stand behind `last`: the next of its epoch, or the first of a later one; now and then a configuration. */
type Step = { readonly epochs: number; readonly config: boolean }
const step: fc.Arbitrary<Step> = fc.record({
  epochs: fc.constantFrom(0, 0, 0, 1, 2),
  config: fc.constantFrom(false, false, false, true),
})
function grow(last: Zxid, steps: readonly Step[]): Entry[] {
  const entries: Entry[] = []
  let [epoch, counter] = [epochOf(last), last % 2 ** 32]
  for (const { epochs, config } of steps) {
    epoch += epochs
    counter = epochs === 0 ? counter + 1 : 1
    entries.push(config ? configEntry(z(epoch, counter), [entries.length + 1]) : txn(z(epoch, counter)))
  }
  return entries
}
const log = fc.array(step, { minLength: 1, maxLength: 30 }).map((steps) => grow(z(1, 0), steps))

/** The naive one: an array. */
interface Model {
  base: Zxid
  all: Entry[]
}
const inMemory = ({ base, all }: Model): Entry[] => all.filter((one) => one.zxid > base)

type Deed =
  | { readonly do: 'append'; readonly steps: readonly Step[] }
  | { readonly do: 'truncate'; readonly to: number }
  | { readonly do: 'forget'; readonly needed: number; readonly keep: number }
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('append' as const), steps: fc.array(step, { maxLength: 6 }) }),
  fc.record({ do: fc.constant('truncate' as const), to: fc.nat(50) }),
  fc.record({ do: fc.constant('forget' as const), needed: fc.nat(50), keep: fc.nat(12) }),
)

function play(history: History, model: Model, one: Deed): void {
  const held = inMemory(model)
  const at = (n: number): Zxid => [model.base, ...held.map((entry) => entry.zxid)][n % (held.length + 1)] as Zxid
  if (one.do === 'append') {
    const entries = grow(lastZxid(history), one.steps)
    append(history, entries)
    model.all.push(...entries)
  } else if (one.do === 'truncate') {
    const zxid = at(one.to)
    truncate(history, zxid)
    model.all = model.all.filter((entry) => entry.zxid <= zxid)
  } else {
    const needed = at(one.needed)
    forget(history, needed, one.keep)
    const free = held.filter((entry) => entry.zxid <= needed)
    model.base = free[Math.min(free.length, held.length - one.keep) - 1]?.zxid ?? model.base
  }
}

test('append, truncate and forget do what an array would', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), fc.nat(50), fc.nat(50), (deeds, from, to) => {
      const founding = [configEntry(z(0, 1), [1])]
      const history = makeHistory(0 as Zxid, null, founding)
      const model: Model = { base: 0 as Zxid, all: [...founding] }
      for (const one of deeds) {
        play(history, model, one)
        const held = inMemory(model)
        const last = held.at(-1)?.zxid ?? model.base
        expect(history.base).toBe(model.base)
        expect(lastZxid(history)).toBe(last)
        const points = [model.base, ...held.map((entry) => entry.zxid)]
        const [a, b] = [points[from % points.length] as Zxid, points[to % points.length] as Zxid]
        expect(entriesBetween(history, a, b)).toEqual(held.filter((entry) => entry.zxid > a && entry.zxid <= b))
        expect(points.every((zxid) => holdsZxid(history, zxid))).toBe(true)
        expect(holdsZxid(history, (last + 1) as Zxid)).toBe(false)
        // The configuration in force: the newest record in the whole log, whatever memory has forgotten.
        const configs = model.all.filter((entry) => entry.kind === 'config')
        expect(configEntryAt(history, last)).toEqual(configs.at(-1) ?? null)
        expect(configEntryAt(history, model.base)).toEqual(configs.findLast((one) => one.zxid <= model.base) ?? null)
        const ends = points.filter(
          (zxid, i) => i === points.length - 1 || epochOf(points[i + 1] as Zxid) !== epochOf(zxid),
        )
        expect(epochEnds(history)).toEqual(ends)
      }
    }),
    { numRuns: 300 },
  )
})

test('the last common zxid is found from the ends of epochs alone', () => {
  // Two logs fork once; what a later leader proposes has an epoch of its own.
  fc.assert(
    fc.property(
      log,
      fc.nat(30),
      fc.array(step, { maxLength: 10 }),
      fc.array(step, { maxLength: 10 }),
      (trunk, at, a, b) => {
        const shared = trunk.slice(0, (at % trunk.length) + 1)
        const fork = (shared.at(-1) as Entry).zxid
        const epoch = epochOf(fork)
        // Only one of both can go on in the epoch of the fork: that leader was one. The other begins a later epoch.
        const mine = grow(fork, a)
        const first = Math.max(epoch, ...mine.map((entry) => epochOf(entry.zxid))) + 1
        const theirs = b.length === 0 ? [] : [txn(z(first, 1)), ...grow(z(first, 1), b.slice(1))]
        const one = makeHistory(0 as Zxid, null, [...shared, ...mine])
        const other = makeHistory(0 as Zxid, null, [...shared, ...theirs])
        expect(commonZxid(one, epochEnds(other))).toBe(fork)
        expect(commonZxid(other, epochEnds(one))).toBe(fork)
      },
    ),
  )
})

test.each([
  ['the same log', [z(1, 3)], z(1, 3)],
  ['a shorter one', [z(1, 2)], z(1, 2)],
  ['a longer one of the same epoch', [z(1, 9)], z(1, 3)],
  ['a longer one of another epoch', [z(1, 2), z(2, 4)], z(1, 2)],
  ['one that ends before what memory holds', [z(0, 2)], null],
  ['nothing', [], null],
])('against %s', (_what, ends, zxid) => {
  const history = makeHistory(z(1, 1), configEntry(z(0, 1), [1]), [txn(z(1, 2)), txn(z(1, 3))])
  expect(commonZxid(history, ends)).toBe(zxid)
})

test('holes, and cuts where nothing stands, are errors of ours', () => {
  const history = makeHistory(0 as Zxid, null, [configEntry(z(0, 1), [1, 2, 3])])
  expect(() => append(history, [txn(z(0, 3))])).toThrow(/a hole in the log/)
  expect(() => truncate(history, z(0, 7))).toThrow(/not in the log/)
  expect(configOf(history)?.voters).toEqual(voters(1, 2, 3))
})
