import { describe, expect, test } from 'vitest'
import type { Zxid } from '../../../src/base/zxid.ts'
import { DispatcherState } from '../../../src/tasks/dispatcher-state.ts'
import type { TaskFacts } from '../../../src/tasks/task-facts.ts'

const task = (id: string, zxid: number, more: Partial<TaskFacts> = {}): TaskFacts => ({
  id,
  state: 'wait',
  name: 'a',
  requires: {},
  priority: 0,
  group: '',
  affinity: '',
  after: [],
  onDepFail: 'fail',
  dedup: '',
  attempt: 0,
  due: 0,
  expiresAt: 0,
  timeout: 0,
  version: 0,
  czxid: zxid as Zxid,
  mzxid: zxid as Zxid,
  mtime: 0,
  ...more,
})
const worker = (slots: number, names = ['a'], labels = {}) => ({ slots, names, labels })
const assigned = (state: DispatcherState, now = 1): string[] =>
  state.orders(now).assigns.map(({ id, wid }) => `${id}>${wid}`)

describe('what is assigned', () => {
  test('by priority, then in the order of arrival, to the worker with most free slots', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.worker('w2', worker(3), 0)
    state.record(task('late', 9))
    state.record(task('first', 3))
    state.record(task('urgent', 8, { priority: -1 }))
    state.record(task('more', 10))
    state.record(task('never', 11))
    expect(assigned(state)).toEqual(['urgent>w2', 'first>w2', 'late>w1', 'more>w2'])
    expect(assigned(state)).toEqual([])
    expect(state.stats()).toMatchObject({ waiting: 1, running: 4, workers: 2 })
  })

  test('a task whose demand no worker meets does not hold up the others', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(9), 0)
    state.record(task('gpu', 1, { requires: { gpu: true } }))
    state.record(task('other', 2, { name: 'b' }))
    state.record(task('plain', 3))
    expect(assigned(state)).toEqual(['plain>w1'])
    state.worker('w2', worker(1, ['b', 'a'], { gpu: true }), 0)
    expect(assigned(state)).toEqual(['gpu>w2'])
  })

  test('a batch is at most 32', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(100), 0)
    for (let i = 0; i < 50; i++) state.record(task(`t${i}`, i + 1))
    expect(assigned(state)).toHaveLength(32)
    expect(state.moreAssigns()).toHaveLength(18)
  })

  test('a delayed task waits for its time', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(9), 0)
    expect(assigned(state, 100)).toEqual([])
    state.record(task('later', 1, { due: 500 }))
    const orders = state.orders(499)
    expect(orders.assigns).toEqual([])
    expect(orders.wakeAt).toBe(500)
    expect(state.stats()).toMatchObject({ delayed: 1, waiting: 0 })
    expect(assigned(state, 500)).toEqual(['later>w1'])
  })

  test('an assignment that was refused may be made again, one of unknown outcome may not', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.record(task('x', 1))
    const [assign] = state.orders(1).assigns
    expect(assigned(state)).toEqual([])
    if (assign !== undefined) state.notAssigned(assign)
    expect(assigned(state)).toEqual(['x>w1'])
  })
})

describe('when a lease goes', () => {
  test('the task waits until its record was read again', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.record(task('x', 1))
    expect(assigned(state)).toEqual(['x>w1'])
    state.leaseGone({ wid: 'w1', id: 'x', attempt: 0 })
    const orders = state.orders(2)
    expect([orders.assigns, orders.reads]).toEqual([[], ['x']])
    state.record(task('x', 1, { attempt: 1, version: 1, mzxid: 5 as Zxid }))
    expect(state.orders(3).assigns).toEqual([{ id: 'x', wid: 'w1', attempt: 1, taskVersion: 1, workerVersion: 0 }])
  })

  test('the record with the next attempt says it too, and the late notice changes nothing', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.record(task('x', 1))
    assigned(state)
    state.record(task('x', 1, { attempt: 1, version: 1, mzxid: 5 as Zxid }))
    expect(assigned(state)).toEqual(['x>w1'])
    state.leaseGone({ wid: 'w1', id: 'x', attempt: 0 })
    expect(state.stats()).toMatchObject({ running: 1 })
  })
})

describe('an assignment that was refused', () => {
  test('leaves no trace: neither its timeout nor its end touch the same attempt of another worker', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.record(task('x', 1, { timeout: 100 }))
    const [refused] = state.orders(1).assigns
    if (refused === undefined) throw new Error('nothing was assigned')
    state.notAssigned(refused)
    state.workerGone('w1')
    state.worker('w2', worker(1), 0)
    expect(assigned(state, 2000)).toEqual(['x>w2'])
    // The time of the first is over, that of the second is not.
    expect(state.orders(2150).endings).toEqual([])
    state.leaseGone({ wid: 'w1', id: 'x', attempt: 0 })
    expect(state.orders(2160)).toMatchObject({ assigns: [], reads: [] })
    expect(state.stats()).toMatchObject({ running: 1 })
    expect(state.orders(9000).endings).toMatchObject([{ id: 'x', kind: 'Timeout', lease: { wid: 'w2', attempt: 0 } }])
  })
})

describe('what is put right', () => {
  test('leases of a dead worker are revoked once, then its mailbox is buried', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(2), 0)
    state.record(task('x', 1))
    assigned(state)
    state.workerGone('w1')
    const orders = state.orders(2)
    expect([orders.revokes, orders.buries]).toEqual([[{ wid: 'w1', id: 'x', attempt: 0 }], []])
    expect(state.orders(3).revokes).toEqual([])
    state.again({ wid: 'w1', id: 'x', attempt: 0 })
    expect(state.orders(4).revokes).toHaveLength(1)
    state.leaseGone({ wid: 'w1', id: 'x', attempt: 0 })
    expect(state.orders(5).buries).toEqual(['w1'])
    expect(state.orders(6).buries).toEqual([])
  })

  test('what is found at takeover: a mailbox without a worker, and its leases', () => {
    const state = new DispatcherState(10)
    state.lease({ wid: 'dead', id: 'x', attempt: 2 })
    state.lease({ wid: 'w1', id: 'y', attempt: 0 })
    state.worker('w1', worker(1), 0)
    for (const wid of ['dead', 'empty']) state.mailbox(wid)
    state.record(task('x', 1, { attempt: 2 }))
    state.record(task('y', 2))
    state.record(task('z', 3))
    const orders = state.orders(1)
    expect(orders.revokes).toEqual([{ wid: 'dead', id: 'x', attempt: 2 }])
    expect(orders.buries).toEqual(['empty'])
    expect(orders.assigns).toEqual([])
  })

  test('a lease of a task that was cancelled is stopped', () => {
    const state = new DispatcherState(10)
    state.worker('w1', worker(1), 0)
    state.record(task('x', 1))
    assigned(state)
    state.record(task('x', 1, { state: 'cancelled', version: 1, mzxid: 4 as Zxid }))
    expect(state.orders(2).stops).toEqual([{ wid: 'w1', id: 'x', attempt: 0 }])
    expect(state.orders(3).stops).toEqual([])
    expect(state.stats()).toMatchObject({ cancelled: 1, running: 0 })
  })

  test('ended tasks beyond retention go, the oldest first', () => {
    const state = new DispatcherState(2)
    for (const i of [3, 1, 0, 2]) state.record(task(`t${i}`, i + 1, { state: 'done', mtime: 500 }))
    expect(state.orders(10_000).collects).toEqual([])
    expect(state.orders(20_000).collects.map(({ id }) => id)).toEqual(['t0', 't1'])
    expect(state.orders(20_001).collects).toEqual([])
    expect(state.stats()).toMatchObject({ done: 2 })
  })
})

test('100,000 waiting tasks are indexed and assigned in their order within seconds', () => {
  const state = new DispatcherState(10)
  state.worker('w1', worker(1000), 0)
  for (let i = 0; i < 100_000; i++) state.record(task(`t${i}`, 100_000 - i, { priority: i % 3 }))
  const first = state.orders(1).assigns.map(({ id }) => Number(id.slice(1)))
  expect(first.every((i) => i % 3 === 0)).toBe(true)
  expect(first).toEqual([...first].sort((a, b) => b - a))
})
