import { QueuePaths } from '../../../src/tasks/queue-paths.ts'
import { readRecord, type TaskRecord } from '../../../src/tasks/task-record.ts'
import type { LogBody, LogEntry } from '../history/types.ts'
import { Violation } from '../violation.ts'

export const QUEUE = 'q'
/** What a run commits with its result: a second completion would show as a second node. */
export const WON = '/won'

const paths = new QueuePaths(QUEUE)

/** What the committed log says of the tasks. */
export interface Audit {
  /** The attempt that completed it, by task. */
  readonly winners: ReadonlyMap<string, number>
  /** As they stand at the end. */
  readonly records: ReadonlyMap<string, TaskRecord>
  readonly leases: number
}

type Change = Extract<LogBody, { readonly kind: 'create' | 'delete' | 'setData' | 'setACL' | 'check' }>

export const changesOf = (body: LogBody): readonly Change[] => {
  if (body.kind === 'multi') return body.ops
  return body.kind === 'create' || body.kind === 'delete' || body.kind === 'setData' ? [body] : []
}

/** Reads the whole log in order. A Violation: two leases for one task, a lease on an ended task, a second end, an end without its lease. */
export function audit(log: readonly LogEntry[]): Audit {
  const leases = new Map<string, string>()
  const winners = new Map<string, number>()
  const records = new Map<string, TaskRecord>()
  let count = 0
  for (const { zxid, body } of log) {
    const consumed = new Set<string>()
    for (const change of changesOf(body)) {
      if (change.kind === 'setACL' || change.kind === 'check') continue
      const { path } = change
      if (change.kind === 'create' && path.startsWith(`${WON}/`)) {
        const id = path.slice(WON.length + 1, path.lastIndexOf('-'))
        const attempt = Number(change.data)
        if (winners.has(id))
          throw new Violation('T1', `${id} completed twice: attempts ${winners.get(id)} and ${attempt}`)
        if (!consumed.has(`${id}.${attempt}`)) {
          throw new Violation('T2', `${id} completed at ${zxid} without the lease of attempt ${attempt}`)
        }
        winners.set(id, attempt)
      }
      const place = paths.parse(path)
      if (place.kind === 'lease') {
        const { id, attempt } = place
        if (change.kind === 'create') {
          count++
          const other = leases.get(id)
          if (other !== undefined) throw new Violation('T3', `${id} has two leases at ${zxid}: ${other} and ${path}`)
          if (records.get(id)?.state !== 'wait') {
            throw new Violation('T4', `${id} gets a lease at ${zxid} and is ${records.get(id)?.state ?? 'not there'}`)
          }
          leases.set(id, path)
        } else if (change.kind === 'delete') {
          consumed.add(`${id}.${attempt}`)
          leases.delete(id)
        }
      } else if (place.kind === 'record') {
        if (change.kind === 'delete') records.delete(place.id)
        else {
          const record = readRecord(Buffer.from(change.data ?? '', 'latin1'))
          const before = records.get(place.id)
          if (record === null) throw new Violation('T5', `${place.id} is no record at ${zxid}`)
          if (before !== undefined && before.state !== 'wait') {
            throw new Violation('T1', `${place.id} was ${before.state} and becomes ${record.state} at ${zxid}`)
          }
          records.set(place.id, record)
        }
      }
    }
  }
  return { winners, records, leases: count }
}
