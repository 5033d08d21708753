import { Cron } from 'croner'
import { concat, fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { checkObject } from '../client/arguments.ts'
import { bad, Fields } from './fields.ts'
import { checkNumber } from './names.ts'
import { decodeRecord, encodeRecord, type TaskRecord } from './task-record.ts'

/** When a schedule adds its task: at the times of a cron line in a time zone, or every so many milliseconds. */
export type ScheduleTimes =
  | { readonly cron: string; readonly tz?: string }
  | { readonly every: number; readonly start?: Date | number }

/** What to do about times that passed while nobody dispatched: nothing, one task for the latest, or one for each. */
export type MissedTimes = 'skip' | 'once' | 'all'

export interface Schedule {
  /** A cron line, or '' for an interval. */
  readonly cron: string
  /** An IANA name; UTC where none is given. */
  readonly tz: string
  /** Milliseconds; 0 for cron. */
  readonly every: number
  readonly missed: MissedTimes
  /** Milliseconds since 1970; 0: there is no next time. */
  readonly next: number
  /** Every task that it adds is this. */
  readonly template: TaskRecord
}

const EVERY_MIN = 100
const EVERY_MAX: number = 366 * 24 * 3600 * 1000
/** Milliseconds of lateness that do not count as missed. */
const LATE = 60_000
const AT_ONCE_MAX = 32

/** BadArguments names `cron`, `tz`, `every` or `missed`. `now`: milliseconds since 1970. */
export function newSchedule(times: ScheduleTimes, missed: unknown, template: TaskRecord, now: number): Schedule {
  if (missed !== undefined && missed !== 'skip' && missed !== 'once' && missed !== 'all') {
    throw new KeeperError('BadArguments', 'missed must be skip, once or all', { path: 'missed' })
  }
  const common = { missed: missed ?? 'once', template } as const
  checkObject(times, 'times')
  if ('cron' in times) {
    const { cron, tz = 'UTC' } = times
    const next = cronAfter(cron, tz, now)
    if (next === null) throw new KeeperError('BadArguments', `cron ${cron} has no time to come`, { path: 'cron' })
    return { ...common, cron, tz, every: 0, next }
  }
  const every = checkNumber('every', times.every, EVERY_MIN, EVERY_MAX)
  const start =
    times.start === undefined ? now + every : checkNumber('start', Number(times.start), 0, Number.MAX_SAFE_INTEGER)
  return { ...common, cron: '', tz: '', every, next: start }
}

function cronAfter(cron: string, tz: string, after: number): number | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: tz })
  } catch (cause) {
    throw new KeeperError('BadArguments', `tz ${tz} is no time zone`, { path: 'tz', cause })
  }
  try {
    return new Cron(cron, { timezone: tz, paused: true }).nextRun(new Date(after))?.getTime() ?? null
  } catch (cause) {
    throw new KeeperError('BadArguments', `cron ${cron} cannot be read`, { path: 'cron', cause })
  }
}

const following = ({ cron, tz, every }: Schedule, slot: number): number =>
  cron === '' ? slot + every : (cronAfter(cron, tz, slot) ?? 0)

export interface Firing {
  /** One task for each; none was made for these times before. */
  readonly slots: readonly number[]
  /** The schedule afterwards. */
  readonly next: number
}

/** What is due at `now`, at most 32 at once. */
export function firing(schedule: Schedule, now: number): Firing {
  const { missed, every, cron } = schedule
  let next = schedule.next
  const due: number[] = []
  // A long silence of a short interval is passed over in one step, unless each time counts.
  if (cron === '' && missed !== 'all' && next < now - LATE) next += Math.floor((now - LATE - next) / every) * every
  for (let i = 0; next !== 0 && next <= now && (missed !== 'all' || due.length < AT_ONCE_MAX); i++) {
    due.push(next)
    if (missed !== 'all') due.splice(0, due.length - 1)
    next = i < 10_000 ? following(schedule, next) : following(schedule, now)
  }
  return { slots: missed === 'skip' ? due.filter((slot) => slot >= now - LATE) : due, next }
}

export function encodeSchedule({ template, ...rest }: Schedule): Uint8Array<ArrayBuffer> {
  const header = utf8(JSON.stringify({ v: 1, ...rest }))
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, header.length)
  return concat([length, header, encodeRecord(template)])
}

/** Null for what is no schedule. */
export function readSchedule(bytes: Uint8Array | null): Schedule | null {
  try {
    if (bytes === null || bytes.length < 4) return null
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    const header: unknown = JSON.parse(fromUtf8(bytes.subarray(4, 4 + length)))
    if (typeof header !== 'object' || header === null) throw bad('header')
    const field = new Fields(header as Readonly<Record<string, unknown>>)
    return {
      cron: field.text('cron'),
      tz: field.text('tz'),
      every: field.amount('every'),
      missed: field.oneOf('missed', ['skip', 'once', 'all']),
      next: field.count('next'),
      template: decodeRecord(bytes.subarray(4 + length)),
    }
  } catch {
    return null
  }
}
