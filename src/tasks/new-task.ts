import { KeeperError } from '../base/errors.ts'
import { checkInteger, checkLabels, checkNumber, checkTaskName, checkWord } from './names.ts'
import { checkRetry } from './retry-policy.ts'
import type { OnDepFail, TaskRecord } from './task-record.ts'
import type { AddOptions } from './task-types.ts'
import type { Value } from './value.ts'

const DAYS_3650: number = 3650 * 24 * 3600 * 1000
const AFTER_MAX = 64

/** The record of a task that is added. BadArguments names what is wrong. */
export const newRecord = (name: string, value: Value, nonce: string, options: AddOptions): TaskRecord => ({
  state: 'wait',
  name: checkTaskName('name', name),
  nonce,
  priority: checkInteger('priority', options.priority ?? 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  delay: checkNumber('delay', options.delay ?? 0, 0, DAYS_3650),
  attempt: 0,
  fails: 0,
  crashes: 0,
  retry: checkRetry(options.retry),
  maxCrashes: checkInteger('maxCrashes', options.maxCrashes ?? 3, 0, 1_000_000),
  timeout: checkNumber('timeout', options.timeout ?? 0, 0, DAYS_3650),
  requires: checkLabels('requires', options.requires ?? {}),
  group: options.group === undefined ? '' : checkWord('group', options.group),
  runAt: runAtOf(options),
  expires: checkNumber('expires', options.expires ?? 0, 0, DAYS_3650),
  after: checkAfter(options.after),
  onDepFail: checkOnDepFail(options.onDepFail),
  affinity: options.affinity === undefined ? '' : checkTaskName('affinity', options.affinity),
  dedup: options.dedup === undefined ? '' : checkWord('dedup.key', (options.dedup as AddOptions['dedup'] | null)?.key),
  progress: undefined,
  checkpoint: undefined,
  log: [],
  failure: null,
  by: null,
  value,
})

/** A time that is past is now. */
function runAtOf({ runAt, delay }: AddOptions): number {
  if (runAt === undefined) return 0
  if (delay !== undefined) {
    throw new KeeperError('BadArguments', 'runAt and delay say the same: give one of them', { path: 'runAt' })
  }
  return checkNumber('runAt', Number(runAt), 0, Number.MAX_SAFE_INTEGER)
}

function checkAfter(after: AddOptions['after']): readonly string[] {
  if (after === undefined) return []
  if (!Array.isArray(after) || after.length > AFTER_MAX) {
    throw new KeeperError('BadArguments', `after must be a list of at most ${AFTER_MAX} tasks`, { path: 'after' })
  }
  const ids = after.map((one: string | { readonly id: string }) =>
    checkWord('after', typeof one === 'string' ? one : one?.id),
  )
  return [...new Set(ids)]
}

function checkOnDepFail(value: unknown): OnDepFail {
  if (value === undefined || value === 'fail' || value === 'run') return value ?? 'fail'
  throw new KeeperError('BadArguments', 'onDepFail must be fail or run', { path: 'onDepFail' })
}
