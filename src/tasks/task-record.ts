import { concat, fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { isLabels, type Labels } from './names.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Value } from './value.ts'

/** Running, delayed and waiting are all `wait` here: they follow from the leases and the clock, and cost no write. */
export type RecordState = 'wait' | 'done' | 'failed' | 'cancelled'

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

const bad = (what: string, cause?: unknown): KeeperError =>
  new KeeperError('MarshallingError', `not a task record: ${what}`, { cause })

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
    failure: field.isNull('failure') ? null : field.fields('failure').failure(),
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

class Fields {
  readonly #of: Readonly<Record<string, unknown>>

  constructor(of: Readonly<Record<string, unknown>>) {
    this.#of = of
  }

  isNull(key: string): boolean {
    return this.#of[key] === null
  }

  text(key: string): string {
    const value = this.#of[key]
    if (typeof value !== 'string') throw bad(key)
    return value
  }

  integer(key: string): number {
    const value = this.#of[key]
    if (!Number.isSafeInteger(value)) throw bad(key)
    return value as number
  }

  count(key: string): number {
    const value = this.integer(key)
    if (value < 0) throw bad(key)
    return value
  }

  amount(key: string): number {
    const value = this.#of[key]
    if (typeof value !== 'number' || !(value >= 0)) throw bad(key)
    return value
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const found = allowed.find((candidate) => candidate === this.#of[key])
    if (found === undefined) throw bad(key)
    return found
  }

  labels(key: string): Labels {
    const value = this.#of[key]
    if (!isLabels(value)) throw bad(key)
    return value
  }

  fields(key: string): Fields {
    const value = this.#of[key]
    if (typeof value !== 'object' || value === null) throw bad(key)
    return new Fields(value as Readonly<Record<string, unknown>>)
  }

  failure(): TaskFailure {
    return { name: this.text('name'), message: this.text('message') }
  }
}
