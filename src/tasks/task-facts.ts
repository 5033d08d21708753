import type { Zxid } from '../base/zxid.ts'
import type { Stat } from '../client/api.ts'
import type { Labels } from './names.ts'
import type { OnDepFail, RecordState, TaskRecord } from './task-record.ts'

/** What the dispatcher keeps of a record: never the input or the output. */
export interface TaskFacts {
  readonly id: string
  readonly state: RecordState
  readonly name: string
  readonly requires: Labels
  readonly priority: number
  readonly group: string
  readonly affinity: string
  /** Of the first attempt only: later ones know that these have ended. */
  readonly after: readonly string[]
  readonly onDepFail: OnDepFail
  readonly dedup: string
  readonly attempt: number
  /** The leader's clock. */
  readonly due: number
  /** The leader's clock; 0: never. */
  readonly expiresAt: number
  /** Milliseconds per attempt; 0: none. */
  readonly timeout: number
  readonly version: number
  readonly czxid: Zxid
  readonly mzxid: Zxid
  /** The leader's clock. */
  readonly mtime: number
}

/** When its next attempt may start, on the leader's clock. */
export function dueAt(record: TaskRecord, stat: Stat): number {
  if (record.attempt > 0) return stat.mtime + record.delay
  return record.runAt > 0 ? record.runAt : stat.ctime + record.delay
}

export function factsOf(id: string, record: TaskRecord, stat: Stat): TaskFacts {
  const { state, name, requires, priority, group, affinity, after, onDepFail, dedup, attempt, timeout } = record
  const { version, czxid, mzxid, mtime } = stat
  return {
    ...{ id, state, name, requires, priority, group, affinity, onDepFail, dedup, attempt, timeout },
    after: attempt === 0 && state === 'wait' ? after : [],
    due: dueAt(record, stat),
    expiresAt: record.expires === 0 ? 0 : stat.ctime + record.expires,
    ...{ version, czxid, mzxid, mtime },
  }
}
