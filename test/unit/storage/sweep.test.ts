import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import type { Candidate } from '../../../src/storage/choose.ts'
import { nextIncarnation } from '../../../src/storage/incarnation.ts'
import { spare } from '../../../src/storage/sweep.ts'
import type { Entry } from '../../../src/zab/entry.ts'

const DAY = 24 * 3600 * 1000
const NOW = Date.UTC(2026, 5, 30)
const ENSEMBLE = 'a'.repeat(32) as EnsembleId

const votersOf = ({ bytes }: Entry): ReplicaId[] =>
  new TextDecoder().decode(bytes).split(',').map(Number) as ReplicaId[]
const config = (counter: number, voters: string): Entry => ({
  ...{ zxid: makeZxid(3, counter), kind: 'config', bytes: utf8(voters) },
})

type Shape = Partial<Omit<Candidate, 'local' | 'release'>> & { readonly ensemble?: EnsembleId; readonly days?: number }

/** A free log of replica `id`, claimed so many `days` ago. */
function log(id: number, { ensemble = ENSEMBLE, days = 0, ...shape }: Shape): Candidate {
  return {
    local: { identity: { ensemble, replica: id as ReplicaId }, lock: { release: () => undefined } },
    ...{ currentEpoch: 3, last: makeZxid(3, 9), committed: makeZxid(3, 9), config: config(5, '1'), voter: false },
    ...{ forked: false, incarnation: nextIncarnation(0, NOW - days * DAY), release: () => undefined },
    ...shape,
  }
}

const chosen = log(1, { voter: true })
/** Of one more log beside the chosen one: is it deleted? */
const goes = (one: Candidate, by: Candidate = chosen): boolean =>
  spare(by, [by, one], votersOf, NOW).some((gone) => gone === one)
/** By its own log it voted, until the configuration that the chosen one has. */
const retired = (shape: Shape = {}) => log(2, { config: config(3, '1,2'), last: makeZxid(3, 4), ...shape })

describe('the log of one that was voted out', () => {
  it('goes at once', () => {
    expect(goes(retired())).toBe(true)
  })

  it.each<[string, Shape]>([
    ['has an entry more than the chosen one', { last: makeZxid(3, 10) }],
    ['has entered a later epoch', { currentEpoch: 4 }],
    ['knows a later configuration', { config: config(6, '1,2') }],
    ['is of another ensemble', { ensemble: 'b'.repeat(32) as EnsembleId }],
    ['says what the ensemble was forked from', { forked: true }],
  ])('stays where it %s', (_, shape) => {
    expect(goes(retired(shape))).toBe(false)
  })

  it('stays while it votes by what the chosen one knows, however old it is', () => {
    const voters = log(1, { voter: true, config: config(5, '1,2,7') })
    expect(goes(retired({ days: 400 }), voters)).toBe(false)
    expect(goes(log(3, { config: config(3, '1,3') }), voters)).toBe(true)
  })

  it('stays while nobody knows that the configuration without it is committed', () => {
    expect(goes(retired(), log(1, { voter: true, committed: makeZxid(3, 4) }))).toBe(false)
    expect(goes(retired(), log(1, { voter: true, committed: makeZxid(3, 5) }))).toBe(true)
    expect(goes(retired(), log(1, { config: null }))).toBe(false)
  })
})

it("an observer's log goes when nobody has claimed it for a week", () => {
  const observer = (days: number, shape: Shape = {}) => log(2, { days, last: makeZxid(3, 4), ...shape })
  expect([0, 1, 6.9].map((days) => goes(observer(days)))).toEqual([false, false, false])
  expect(goes(observer(7.1))).toBe(true)
  expect(goes(observer(7.1, { config: null, last: 0 as Zxid }))).toBe(true)
  expect(goes(observer(7.1, { last: makeZxid(3, 10) }))).toBe(false)
})

it('the chosen log never goes', () => {
  const only = log(1, { days: 400, config: config(5, '2') })
  expect(spare(only, [only], votersOf, NOW)).toEqual([])
})
