import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NonRetryable } from '../../../src/tasks/task-error.ts'
import { TaskQueue } from '../../../src/tasks/task-queue.ts'
import type { TaskContext } from '../../../src/tasks/task-types.ts'
import { type Jobs, Offices } from './offices.ts'

let tabs: Offices
beforeEach(() => {
  tabs = new Offices()
})
afterEach(async () => {
  await tabs.close()
  expect(tabs.problems).toEqual([])
})

describe('a task', () => {
  test('is done by a worker elsewhere, and its result awaited by anyone', async () => {
    await tabs.dispatch()
    const [a, b, c] = [await tabs.office(), await tabs.office(), await tabs.office()]
    await tabs.until(b.queue.worker({ double: (n) => n * 2, bytes: (bytes) => bytes.toReversed() }, { slots: 2 }))
    const task = await tabs.until(a.queue.add('double', 21))
    expect(await tabs.until(task.result())).toBe(42)
    expect(await tabs.until(c.queue.handle('double', task.id).result())).toBe(42)
    expect(await tabs.until(task.state())).toBe('done')
    const bytes = await tabs.until(a.queue.add('bytes', new Uint8Array([1, 2, 3])))
    expect(await tabs.until(bytes.result())).toEqual(new Uint8Array([3, 2, 1]))
  })

  test('waits for a worker, a dispatcher, and its time', async () => {
    const { queue } = await tabs.office()
    const now = await tabs.until(queue.add('double', 1))
    const later = await tabs.until(queue.add('double', 2, { delay: 5000 }))
    expect(await tabs.until(now.state())).toBe('waiting')
    expect(await tabs.until(later.state())).toBe('delayed')
    await tabs.dispatch()
    await tabs.pass(100)
    await tabs.until(queue.worker({ double: (n) => n * 2 }))
    expect(await tabs.until(now.result())).toBe(2)
    await tabs.pass(1000)
    expect(await tabs.until(later.state())).toBe('delayed')
    expect(await tabs.until(later.result({ timeout: 10_000 }))).toBe(4)
    await tabs.pass(2000)
    expect(await tabs.until(queue.stats())).toEqual({
      waiting: 0,
      delayed: 0,
      blocked: 0,
      running: 0,
      done: 2,
      failed: 0,
      cancelled: 0,
      workers: 1,
      slots: 1,
      free: 1,
    })
  })

  test('is retried as its policy says, then fails with what was thrown last', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const attempts: number[] = []
    await tabs.until(
      queue.worker({
        double: (_, { attempt }) => {
          attempts.push(tabs.server.now)
          throw attempt === 2 ? 'just text' : new RangeError(`no ${attempt}`)
        },
        slow: () => {
          throw new NonRetryable('never')
        },
      }),
    )
    const retry = { max: 2, backoff: { delay: 1000, jitter: 0 } }
    const task = await tabs.until(queue.add('double', 1, { retry }))
    const failed = await tabs.errorOf(task.result())
    expect(failed).toMatchObject({ code: 'TaskFailed', failure: { name: 'Error', message: 'just text' } })
    expect(attempts).toHaveLength(3)
    expect((attempts[1] as number) - (attempts[0] as number)).toBeGreaterThanOrEqual(1000)
    expect((attempts[2] as number) - (attempts[1] as number)).toBeGreaterThanOrEqual(2000)
    const once = await tabs.until(queue.add('slow', '', { retry }))
    expect(await tabs.errorOf(once.result())).toMatchObject({
      failure: { name: 'NonRetryable', message: 'never' },
    })
  })

  test('that is cancelled never runs, or is told to stop and cannot complete', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const waiting = await tabs.until(queue.add('double', 1))
    expect(await tabs.until(waiting.cancel('changed my mind'))).toBe('cancelled')
    expect(await tabs.until(waiting.cancel())).toBe('already-finished')
    const contexts: TaskContext[] = []
    const worker = await tabs.until(
      queue.worker({
        slow: (_, context) => {
          contexts.push(context)
          context.alsoCommit([{ op: 'create', path: '/effect' }])
          return new Promise((resolve) => context.signal.addEventListener('abort', () => resolve('too late')))
        },
      }),
    )
    const running = await tabs.until(queue.add('slow', 'x'))
    await tabs.pass(100)
    expect(await tabs.until(running.state())).toBe('running')
    expect(await tabs.until(running.cancel())).toBe('cancelled')
    expect(await tabs.errorOf(running.result())).toMatchObject({ code: 'TaskCancelled' })
    await tabs.pass(200)
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'Cancelled' })
    expect(worker.running).toBe(0)
    expect(await tabs.until((await tabs.office()).tab.client.exists('/effect'))).toBeNull()
    const next = await tabs.until(queue.add('slow', 'y'))
    await tabs.pass(100)
    expect(await tabs.until(next.state()), 'its slot is free again').toBe('running')
  })

  test('that takes longer than its timeout has failed, and its run is told', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const reasons: unknown[] = []
    await tabs.until(
      queue.worker({
        slow: (_, { signal }) =>
          new Promise(() => {
            signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code))
          }),
      }),
    )
    const task = await tabs.until(queue.add('slow', '', { timeout: 3000 }))
    expect(await tabs.errorOf(task.result())).toMatchObject({
      code: 'TaskFailed',
      failure: { name: 'RunEndedError' },
    })
    expect(reasons).toEqual(['Timeout'])
  })
})

describe('adding', () => {
  test('the same id twice is adding once; an id of another kind of task is refused', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    let runs = 0
    const first = await tabs.until(queue.add('double', 1, { id: 'once' }))
    const second = await tabs.until(queue.add('double', 2, { id: 'once' }))
    expect(await tabs.codeOf(queue.add('slow', 'x', { id: 'once' }))).toBe('NodeExists')
    await tabs.until(
      queue.worker({
        double: (n) => {
          runs++
          return n
        },
      }),
    )
    expect(await tabs.until(Promise.all([first.result(), second.result()]))).toEqual([1, 1])
    expect(runs).toBe(1)
  })

  test('refuses what it cannot take, and a closed queue everything', async () => {
    const { tab, queue } = await tabs.office()
    expect(() => new TaskQueue(tab, 'a/b')).toThrow(/^name must/)
    const strict = new TaskQueue<Jobs>(tab, 'strict', { names: ['double'], valueBytesMax: 10 })
    expect(await tabs.codeOf(strict.add('slow', ''))).toBe('BadArguments')
    expect(await tabs.codeOf(queue.add('slow', 'x'.repeat(40_000)))).toBe('TooLarge')
    expect(await tabs.codeOf(queue.handle('slow', 'nobody').result())).toBe('NoNode')
    await tabs.until(queue.close())
    expect(await tabs.codeOf(queue.add('slow', ''))).toBe('Closed')
  })

  test('ended tasks beyond retention are deleted', async () => {
    await tabs.dispatch({ keep: 5 })
    const { queue } = await tabs.office()
    await tabs.until(queue.worker({ double: (n) => n }, { slots: 10 }))
    const tasks = await tabs.until(
      queue.addAll(Array.from({ length: 20 }, (_, n) => ({ name: 'double' as const, input: n }))),
    )
    await tabs.until(Promise.all(tasks.map((task) => task.result().catch(() => null))))
    await tabs.pass(13_000)
    expect(await tabs.until(queue.stats())).toMatchObject({ done: 5, waiting: 0, running: 0 })
    expect(await tabs.codeOf((tasks[0] as { result(): Promise<unknown> }).result())).toBe('NoNode')
  })
})
