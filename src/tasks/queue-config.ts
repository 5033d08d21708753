import { fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { checkObject } from '../client/arguments.ts'
import { checkInteger, checkNumber, checkWord } from './names.ts'

/** At most `limit` starts in `per` milliseconds, over time; after a pause up to `limit` at once. */
export interface Rate {
  readonly limit: number
  readonly per: number
}

export interface GroupLimits {
  /** How often its turn comes, beside other groups. 0.001 to 1000; default 1. */
  readonly weight?: number
  /** Tasks that run at a time; 0 holds the group. */
  readonly concurrency?: number
  readonly rate?: Rate
}

/** What holds for all pages: in the queue's own node, so that one write changes it and every dispatcher hears it. */
export interface QueueConfig {
  /** Nothing new is started. */
  readonly paused?: boolean
  /** Tasks that run at a time in the whole queue. */
  readonly concurrency?: number
  readonly rate?: Rate
  /** For each group that `groups` does not name. */
  readonly eachGroup?: GroupLimits
  readonly groups?: Readonly<Record<string, GroupLimits>>
  /** `add` is refused with QueueFullError while so many wait. Soft: pages learn the number about once a second. */
  readonly maxPending?: number
  /** How many ended tasks are kept. Default 1000. */
  readonly keep?: number
  /** Milliseconds that an ended task is kept at most. */
  readonly keepFor?: number
}

const MANY: number = Number.MAX_SAFE_INTEGER
const YEAR: number = 366 * 24 * 3600 * 1000

function checkRate(argument: string, rate: unknown): Rate {
  const { limit, per } = (rate ?? {}) as Partial<Rate>
  return {
    limit: checkInteger(`${argument}.limit`, limit, 1, 1_000_000),
    per: checkNumber(`${argument}.per`, per, 1, YEAR),
  }
}

function checkGroup(argument: string, limits: GroupLimits): GroupLimits {
  const { weight, concurrency, rate } = checkObject(limits, argument)
  return {
    ...(weight === undefined ? {} : { weight: checkNumber(`${argument}.weight`, weight, 0.001, 1000) }),
    ...(concurrency === undefined
      ? {}
      : { concurrency: checkInteger(`${argument}.concurrency`, concurrency, 0, MANY) }),
    ...(rate === undefined ? {} : { rate: checkRate(`${argument}.rate`, rate) }),
  }
}

/** BadArguments names what is wrong. */
export function checkConfig(config: QueueConfig): QueueConfig {
  const { paused, concurrency, rate, eachGroup, groups, maxPending, keep, keepFor } = config
  if (paused !== undefined && typeof paused !== 'boolean') {
    throw new KeeperError('BadArguments', 'paused must be true or false', { path: 'paused' })
  }
  const named = Object.entries(groups ?? {}).map(
    ([name, limits]) => [checkWord('groups', name), checkGroup(`groups.${name}`, limits)] as const,
  )
  return {
    ...(paused === undefined ? {} : { paused }),
    ...(concurrency === undefined ? {} : { concurrency: checkInteger('concurrency', concurrency, 0, MANY) }),
    ...(rate === undefined ? {} : { rate: checkRate('rate', rate) }),
    ...(eachGroup === undefined ? {} : { eachGroup: checkGroup('eachGroup', eachGroup) }),
    ...(groups === undefined ? {} : { groups: Object.fromEntries(named) }),
    ...(maxPending === undefined ? {} : { maxPending: checkInteger('maxPending', maxPending, 1, MANY) }),
    ...(keep === undefined ? {} : { keep: checkInteger('keep', keep, 0, MANY) }),
    ...(keepFor === undefined ? {} : { keepFor: checkNumber('keepFor', keepFor, 0, 10 * YEAR) }),
  }
}

export const encodeConfig = (config: QueueConfig): Uint8Array<ArrayBuffer> => utf8(JSON.stringify(config))

/** Another page's nonsense, or nothing, is no limits at all. */
export function readConfig(bytes: Uint8Array | null): QueueConfig {
  if (bytes === null || bytes.length === 0) return {}
  try {
    return checkConfig(JSON.parse(fromUtf8(bytes)) as QueueConfig)
  } catch {
    return {}
  }
}

export const limitsOf = (config: QueueConfig, group: string): GroupLimits =>
  (Object.hasOwn(config.groups ?? {}, group) ? config.groups?.[group] : undefined) ?? config.eachGroup ?? {}
