import { expect, test } from 'vitest'
import { middle, percentile, type Result, ratiosOf, tableOf } from '../../bench/report.ts'
import { type Sample, WORKLOADS, type Workload } from '../../bench/workload.ts'

const workload = WORKLOADS[0] as Workload
const sample = (opsPerSecond: number): Sample => ({ opsPerSecond, latencies: [1, 2, 3, 4] })
const result = (ensemble: string, ...rates: number[]): Result => ({ ensemble, workload, rounds: rates.map(sample) })

test('percentiles are by nearest rank', () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0, 0.5, 0.99, 1].map((q) => percentile(sorted, q))).toEqual([1, 50, 99, 100])
  expect(percentile([], 0.5)).toBeNaN()
})

test('the middle round is reported, with the least and the most beside it', () => {
  expect(middle([sample(30), sample(10), sample(20)]).opsPerSecond).toBe(20)
  const [, row = ''] = tableOf([result('tabs', 3000, 1000, 2000)]).split('\n')
  expect(row.split(/ {2,}/)).toEqual([
    'tabs',
    'setData, 1 in flight, 100 B',
    '2,000',
    '1,000',
    '3,000',
    '2.00',
    '4.00',
    '4.00',
    '3',
  ])
})

test('a ratio compares the same workload only', () => {
  const other = { ...result('servers', 500), workload: { ...workload, inFlight: 7 } }
  expect(ratiosOf([result('tabs', 1000)], [result('servers', 500)])).toEqual([
    'ratio  setData, 1 in flight, 100 B: 2.00 times servers (1,000 / 500 ops/s)',
  ])
  expect(ratiosOf([result('tabs', 1000)], [other])).toEqual([])
})
