import { describe, expect, test } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import { newRecord } from '../../../src/tasks/new-task.ts'
import { retryDelay } from '../../../src/tasks/retry-policy.ts'
import { decodeRecord, encodeRecord, readRecord } from '../../../src/tasks/task-record.ts'
import { crashedRecord, doneRecord, failedRecord } from '../../../src/tasks/transitions.ts'
import { fromValue, toValue } from '../../../src/tasks/value.ts'
import { decodeWorker, encodeWorker } from '../../../src/tasks/worker-record.ts'

const task = (...given: readonly [unknown?]) =>
  newRecord('resize', toValue('input', given.length === 0 ? { a: 1 } : given[0], 1000), 'nonce', {
    retry: { max: 2, backoff: { delay: 100, jitter: 0.5 } },
    requires: { gpu: true },
  })

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error instanceof KeeperError ? `${error.code} ${error.path ?? ''}`.trim() : error
  }
  return null
}

describe('a task record', () => {
  test.each([[{ a: [1, null, 'ä'] }], [undefined], [null], [new Uint8Array([0, 255, 7])], ['']])(
    'carries %j there and back',
    (input) => {
      const record = task(input)
      const read = decodeRecord(encodeRecord(record))
      expect(fromValue(read.value)).toEqual(input)
      expect({ ...read, value: null }).toEqual({ ...record, value: null })
    },
  )

  test('refuses what another page should not have written', () => {
    const good = encodeRecord(task())
    expect(readRecord(null)).toBeNull()
    expect(readRecord(new Uint8Array(3))).toBeNull()
    expect(readRecord(new Uint8Array([255, 255, 255, 255, 1]))).toBeNull()
    for (let i = 0; i < good.length - 8; i++) {
      const cut = good.slice(0, i)
      expect(readRecord(cut)).toBeNull()
    }
    const text = new TextDecoder().decode(good.subarray(4))
    for (const [from, to] of [
      ['"state":"wait"', '"state":"gone"'],
      ['"attempt":0', '"attempt":-'],
      ['"fails":0', '"fails":"'],
      ['"v":1', '"v":2'],
      ['{"gpu":true}', '{"gpu":null}'],
    ] as const) {
      const bytes = new TextEncoder().encode(text.replace(from, to))
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, bytes.length - '{"a":1}'.length)
      expect(readRecord(new Uint8Array([...length, ...bytes])), to).toBeNull()
    }
  })

  test('names the argument that is wrong', () => {
    expect(codeOf(() => toValue('input', 'x'.repeat(2000), 1000))).toBe('TooLarge input')
    expect(codeOf(() => toValue('input', () => 1, 1000))).toBe('BadArguments input')
    expect(codeOf(() => toValue('input', 1n, 1000))).toBe('BadArguments input')
    const none = toValue('input', undefined, 0)
    expect(codeOf(() => newRecord('', none, 'n', {}))).toBe('BadArguments name')
    expect(codeOf(() => newRecord('a', none, 'n', { delay: -1 }))).toBe('BadArguments delay')
    expect(codeOf(() => newRecord('a', none, 'n', { priority: 0.5 }))).toBe('BadArguments priority')
    expect(codeOf(() => newRecord('a', none, 'n', { retry: { max: -1 } }))).toBe('BadArguments retry.max')
    expect(codeOf(() => newRecord('a', none, 'n', { retry: { backoff: { jitter: Number.NaN } } }))).toBe(
      'BadArguments retry.backoff.jitter',
    )
  })
})

describe('what a step writes', () => {
  test('failures use up the retries, with a growing delay; crashes have a budget of their own', () => {
    const failure = { name: 'Error', message: 'no' }
    const once = failedRecord(task(), 'w/x.0', failure, false, 0)
    expect(once).toMatchObject({ state: 'wait', fails: 1, attempt: 1, delay: 100 })
    const crashed = crashedRecord(once)
    expect(crashed).toMatchObject({ state: 'wait', fails: 1, crashes: 1, attempt: 2, delay: 0 })
    const twice = failedRecord(crashed, 'w/x.2', failure, false, 1)
    expect(twice).toMatchObject({ state: 'wait', fails: 2, attempt: 3, delay: 300 })
    expect(failedRecord(twice, 'w/x.3', failure, false, 0)).toMatchObject({ state: 'failed', fails: 3, failure })
    expect(failedRecord(task(), 'w/x.0', failure, true, 0)).toMatchObject({ state: 'failed' })
    let record = task()
    for (let i = 0; i < 3; i++) record = crashedRecord(record)
    expect(record.state).toBe('wait')
    expect(crashedRecord(record)).toMatchObject({ state: 'failed', failure: { name: 'WorkerCrashed' } })
  })

  test('a done task drops its input', () => {
    const done = doneRecord(task(), 'w/x.0', toValue('result', 'out', 100))
    expect(fromValue(decodeRecord(encodeRecord(done)).value)).toBe('out')
  })

  test('backoff is fixed, or doubles up to its limit', () => {
    const fixed = { max: 9, growth: 1, delay: 50, delayMax: 10, jitter: 0 } as const
    expect([1, 2, 9].map((fails) => retryDelay(fixed, fails, 0))).toEqual([50, 50, 50])
    const growing = { max: 9, growth: 2, delay: 50, delayMax: 300, jitter: 0.1 } as const
    expect([1, 2, 3, 4, 1000].map((fails) => retryDelay(growing, fails, 0))).toEqual([50, 100, 200, 300, 300])
    expect(retryDelay(growing, 4, 0.5)).toBe(315)
  })
})

test('a worker record is checked', () => {
  const worker = { slots: 4, labels: { gpu: true, zone: 'b' }, names: ['a'] }
  expect(decodeWorker(encodeWorker(worker))).toEqual(worker)
  const text = (value: string) => new TextEncoder().encode(value)
  for (const bad of ['', '[]', 'null', '{"slots":-1,"labels":{},"names":[]}', '{"slots":1,"labels":{},"names":[1]}']) {
    expect(
      codeOf(() => decodeWorker(text(bad))),
      bad,
    ).toBe('MarshallingError')
  }
})
