import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/tasks/new-task.ts'
import { firing, newSchedule, type ScheduleTimes } from '../../../src/tasks/schedule.ts'
import { NO_VALUE } from '../../../src/tasks/value.ts'
import { Offices } from './offices.ts'

const template = newRecord('a', NO_VALUE, 'n', {})
const at = (text: string): number => new Date(text).getTime()
const times = (when: ScheduleTimes, from: string, count: number): string[] => {
  let schedule = newSchedule(when, 'all', template, at(from))
  const found: string[] = []
  while (found.length < count && schedule.next > 0) {
    found.push(new Date(schedule.next).toISOString().slice(0, 16))
    schedule = { ...schedule, next: firing(schedule, schedule.next).next }
  }
  return found
}

describe('times', () => {
  test.each([
    [
      'weekdays at nine in Vienna, over the change to summer time',
      '0 9 * * 1-5',
      'Europe/Vienna',
      '2026-03-26T12:00Z',
      ['2026-03-27T08:00', '2026-03-30T07:00', '2026-03-31T07:00'],
    ],
    [
      'half past two where that hour is skipped',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T00:00Z',
      ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    ['the 29th of February', '0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', ['2028-02-29T00:00', '2032-02-29T00:00']],
    [
      'every quarter hour',
      '*/15 * * * *',
      'Asia/Kolkata',
      '2026-01-01T00:01Z',
      ['2026-01-01T00:15', '2026-01-01T00:30'],
    ],
  ])('%s', (_, cron, tz, from, expected) => {
    expect(times({ cron, tz }, from, expected.length)).toEqual(expected)
  })

  test('what was missed: none, one for the latest, or one each', () => {
    const start = at('2026-01-01T00:00Z')
    const fired = (missed: 'skip' | 'once' | 'all', late: number) =>
      firing(newSchedule({ every: 60_000, start }, missed, template, start), start + late)
    expect(fired('once', 10 * 60_000 + 5)).toEqual({ slots: [start + 10 * 60_000], next: start + 11 * 60_000 })
    expect(fired('skip', 10 * 60_000 + 5).slots).toEqual([start + 10 * 60_000])
    const rare = newSchedule({ every: 3_600_000, start }, 'skip', template, start)
    expect(firing(rare, start + 1_800_000)).toEqual({ slots: [], next: start + 3_600_000 })
    expect(fired('all', 10 * 60_000 + 5).slots).toHaveLength(11)
    expect(fired('all', 1000 * 60_000).slots).toHaveLength(32)
    const fast = newSchedule({ every: 100, start }, 'once', template, start)
    expect(firing(fast, start + 365 * 24 * 3_600_000).slots).toHaveLength(1)
  })

  test.each([
    ['cron', { cron: '61 * * * *' }],
    ['cron', { cron: '' }],
    ['cron', { cron: '0 0 31 2 *' }],
    ['tz', { cron: '* * * * *', tz: 'Mars/Olympus' }],
    ['every', { every: 5 }],
    ['every', { every: Number.NaN }],
    ['start', { every: 1000, start: Number.NaN }],
  ])('%s is named where it is wrong: %j', (path, when) => {
    expect(() => newSchedule(when, undefined, template, at('2026-01-01T00:00Z'))).toThrow(
      expect.objectContaining({ code: 'BadArguments', path }),
    )
  })
})

describe('a schedule', () => {
  let tabs: Offices
  beforeEach(() => {
    tabs = new Offices()
  })
  afterEach(async () => {
    await tabs.close()
    expect(tabs.problems).toEqual([])
  })

  test('adds one task for each time, whoever dispatches, until it is removed', async () => {
    const first = await tabs.dispatch({}, 4000)
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const ran: number[] = []
    await tabs.until(
      queue.worker({
        double: (n) => {
          ran.push(n)
          return n
        },
      }),
    )
    await tabs.until(queue.schedule('tick', { every: 1000 }, { name: 'double', input: 7, missed: 'all' }))
    await tabs.pass(5500)
    expect(ran).toHaveLength(5)
    first.tab.freeze()
    await tabs.pass(20_000)
    expect(ran).toHaveLength(25)
    const [info] = await tabs.until(queue.schedules())
    expect(info).toMatchObject({ id: 'tick', task: 'double', times: { every: 1000 } })
    expect(await tabs.until(queue.unschedule('tick'))).toBe(true)
    expect(await tabs.until(queue.unschedule('tick'))).toBe(false)
    await tabs.pass(3000)
    expect(ran).toHaveLength(25)
    expect(await tabs.codeOf(queue.schedule('bad', { cron: 'never' }, { name: 'double', input: 1 }))).toBe(
      'BadArguments',
    )
  })
})
