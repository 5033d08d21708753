import { checkInteger, checkLabels, checkNumber, checkTaskName } from './names.ts'
import { checkRetry } from './retry-policy.ts'
import type { TaskRecord } from './task-record.ts'
import type { AddOptions } from './task-types.ts'
import type { Value } from './value.ts'

const DAYS_3650: number = 3650 * 24 * 3600 * 1000

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
  failure: null,
  by: null,
  value,
})
