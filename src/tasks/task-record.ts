import { concat, fromUtf8, utf8 } from '../base/bytes.ts'
import { bad, Fields } from './fields.ts'
import type { Labels } from './names.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Value } from './value.ts'

/** Running, delayed and waiting are all `wait` here: they follow from the leases and the clock, and cost no write. */
export type RecordState = 'wait' | 'done' | 'failed' | 'cancelled'

/** When a task that it waits for fails or is cancelled: fail too, or run all the same. */
export type OnDepFail = 'fail' | 'run'

export interface TaskFailure {
  readonly name: string
  readonly message: string
}

/** The one authoritative record of a task, in one znode for its whole life. */
export interface TaskRecord {
  readonly state: RecordState
  readonly name: string
  /** Of the submitter: tells its own record after a lost reply. */
  readonly nonce: string
  /** Lower first. */
  readonly priority: number
  /** Milliseconds after the node's ctime (first attempt) or mtime (later ones). */
  readonly delay: number
  /** The lease sequence: grows in the transaction that removes a lease. */
  readonly attempt: number
  readonly fails: number
  readonly crashes: number
  readonly retry: RetryPolicy
  readonly maxCrashes: number
  /** Milliseconds per attempt; 0: none. */
  readonly timeout: number
  readonly requires: Labels
  /** Fairness, caps and rates count by it; '' is a group too. */
  readonly group: string
  /** Milliseconds since 1970 of the first attempt; 0: `delay` says. */
  readonly runAt: number
  /** Milliseconds after the node's ctime, by which it must have ended; 0: none. */
  readonly expires: number
  /** Ids of tasks that must have ended first. */
  readonly after: readonly string[]
  readonly onDepFail: OnDepFail
  /** Tasks of one affinity go to one worker while it has room; '': none. */
  readonly affinity: string
  /** The deduplication key, or ''. */
  readonly dedup: string
  /** What the last attempts said of themselves. `checkpoint` is for the next one. */
  readonly progress: unknown
  readonly checkpoint: unknown
  readonly log: readonly string[]
  readonly failure: TaskFailure | null
  /** The lease that wrote this state, or null. */
  readonly by: string | null
  /** The input until the task is done, then the output. */
  readonly value: Value
}

export const isTerminal = (record: { readonly state: RecordState }): boolean => record.state !== 'wait'

/** Four bytes with the length of a JSON header, the header, the value's bytes. */
export function encodeRecord(record: TaskRecord): Uint8Array<ArrayBuffer> {
  const { value, ...rest } = record
  const header = utf8(JSON.stringify({ v: 1, ...rest, value: value.kind }))
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, header.length)
  return concat([length, header, value.bytes])
}

const failureIn = (field: Fields): TaskFailure => ({ name: field.text('name'), message: field.text('message') })

/** Everything is checked here, since another page wrote it. MarshallingError names what is wrong. */
export function decodeRecord(bytes: Uint8Array | null): TaskRecord {
  if (bytes === null || bytes.length < 4) throw bad('too short')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  if (length > bytes.length - 4) throw bad('header too long')
  let header: unknown
  try {
    header = JSON.parse(fromUtf8(bytes.subarray(4, 4 + length)))
  } catch (cause) {
    throw bad('header', cause)
  }
  if (typeof header !== 'object' || header === null) throw bad('header')
  const field = new Fields(header as Readonly<Record<string, unknown>>)
  if (field.count('v') !== 1) throw bad('format')
  const retry = field.fields('retry')
  return {
    state: field.oneOf('state', ['wait', 'done', 'failed', 'cancelled']),
    name: field.text('name'),
    nonce: field.text('nonce'),
    priority: field.integer('priority'),
    delay: field.amount('delay'),
    attempt: field.count('attempt'),
    fails: field.count('fails'),
    crashes: field.count('crashes'),
    retry: {
      max: retry.count('max'),
      growth: retry.count('growth') === 1 ? 1 : 2,
      delay: retry.amount('delay'),
      delayMax: retry.amount('delayMax'),
      jitter: retry.amount('jitter'),
    },
    maxCrashes: field.count('maxCrashes'),
    timeout: field.amount('timeout'),
    requires: field.labels('requires'),
    group: field.has('group') ? field.text('group') : '',
    runAt: field.has('runAt') ? field.amount('runAt') : 0,
    expires: field.has('expires') ? field.amount('expires') : 0,
    after: field.has('after') ? field.texts('after') : [],
    onDepFail: field.has('onDepFail') ? field.oneOf('onDepFail', ['fail', 'run']) : 'fail',
    affinity: field.has('affinity') ? field.text('affinity') : '',
    dedup: field.has('dedup') ? field.text('dedup') : '',
    progress: field.any('progress'),
    checkpoint: field.any('checkpoint'),
    log: field.has('log') ? field.texts('log') : [],
    failure: field.isNull('failure') ? null : failureIn(field.fields('failure')),
    by: field.isNull('by') ? null : field.text('by'),
    value: { kind: field.oneOf('value', ['none', 'json', 'bytes']), bytes: bytes.subarray(4 + length) },
  }
}

/** Null for what is no record: nobody's task, and nobody's trouble. */
export function readRecord(bytes: Uint8Array | null): TaskRecord | null {
  try {
    return decodeRecord(bytes)
  } catch {
    return null
  }
}
