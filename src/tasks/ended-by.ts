import type { Ending } from './overdue.ts'
import type { TaskRecord } from './task-record.ts'
import { endedRecord, failedRecord } from './transitions.ts'

/** The record after the dispatcher ended the task or its attempt. `luck` is in [0, 1). */
export function endedBy({ kind, detail }: Ending, record: TaskRecord, luck: number): TaskRecord {
  if (kind === 'Timeout') {
    const message = `the attempt took longer than ${record.timeout} ms, and its worker did not end it`
    return failedRecord(record, null, { name: 'Timeout', message }, false, luck)
  }
  return kind === 'Expired'
    ? endedRecord(record, { name: 'Expired', message: `not ended within ${record.expires} ms of being added` })
    : endedRecord(record, {
        name: 'DependencyFailed',
        message: `a task that it waits for has not succeeded: ${detail}`,
      })
}
