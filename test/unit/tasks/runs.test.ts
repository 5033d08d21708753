import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

describe('a run', () => {
  test('goes on when a list of leases comes late that was read before it began', async () => {
    await tabs.dispatch()
    const tab = await tabs.open()
    let late: Promise<void> = Promise.resolve()
    const client = new Proxy(tab.client, {
      get(target, name) {
        if (name === 'getChildren')
          return async (...args: Parameters<typeof target.getChildren>) => {
            const answer = await target.getChildren(...args)
            await late
            return answer
          }
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const queue = new TaskQueue<Jobs>({ ...tab, client }, 'q')
    const task = await tabs.until(queue.add('double', 21))
    let arrives = (): void => {}
    late = new Promise((resolve) => {
      arrives = resolve
    })
    let end = (): void => {}
    let runs = 0
    const began = new Promise<void>((begins) => {
      const double = async (n: number): Promise<number> => {
        runs++
        begins()
        await new Promise<void>((resolve) => {
          end = resolve
        })
        return n * 2
      }
      queue.worker({ double }).catch(() => {})
    })
    await tabs.until(began)
    arrives()
    await tabs.pass(500)
    end()
    expect(await tabs.until(task.result())).toBe(42)
    expect(runs).toBe(1)
  })

  test('commits what it wants committed together with its completion; if that is refused, the attempt fails', async () => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    await tabs.until(
      queue.worker({
        double: (n, context) => {
          context.alsoCommit([{ op: 'create', path: '/effect', data: context.id }])
          return n
        },
      }),
    )
    const first = await tabs.until(queue.add('double', 1))
    expect(await tabs.until(first.result())).toBe(1)
    expect(await tabs.until(tab.client.exists('/effect'))).not.toBeNull()
    const second = await tabs.until(queue.add('double', 1))
    expect(await tabs.errorOf(second.result())).toMatchObject({
      failure: { name: 'KeeperError' },
    })
  })

  test('of a page that froze is revoked; the task is done elsewhere, and the late completion is refused', async () => {
    await tabs.dispatch()
    const [frozen, other] = [await tabs.office(4000), await tabs.office()]
    const release: (() => void)[] = []
    const contexts: TaskContext[] = []
    const slow = (text: string, context: TaskContext): Promise<string> => {
      contexts.push(context)
      return new Promise((resolve) => release.push(() => resolve(text + context.attempt)))
    }
    await tabs.until(frozen.queue.worker({ slow }))
    const task = await tabs.until(other.queue.add('slow', 'x'))
    await tabs.pass(100)
    expect(contexts).toHaveLength(1)
    await tabs.until(other.queue.worker({ slow }))
    frozen.tab.freeze()
    await tabs.pass(8000)
    expect(contexts.map(({ attempt }) => attempt)).toEqual([0, 1])
    release[0]?.()
    await tabs.pass(100)
    expect(await tabs.until(task.state())).toBe('running')
    // The guard of the stale run refuses whatever it still tries, through any session.
    const stale = (contexts[0] as TaskContext).guard()
    expect(await tabs.codeOf(other.tab.client.multi([stale, { op: 'create', path: '/late' }]))).toBe('NoNode')
    release[1]?.()
    expect(await tabs.until(task.result())).toBe('x1')
    expect((contexts[1] as TaskContext).token.zxid).toBeGreaterThan((contexts[0] as TaskContext).token.zxid)
  })

  test('of a session that expired ends: its signal aborts, its worker says so', async () => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    const contexts: TaskContext[] = []
    const worker = await tabs.until(
      queue.worker({
        slow: (_, context) => {
          contexts.push(context)
          return new Promise(() => {})
        },
      }),
    )
    await tabs.until(queue.add('slow', 'x', { maxCrashes: 0 }))
    await tabs.pass(100)
    tabs.server.expire(tab.client.sessionId)
    await tabs.pass(1000)
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'LeaseLost' })
    expect(await tabs.codeOf(worker.ended)).toBe('SessionExpired')
  })

  test('that kills its page again and again fails in the end', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const task = await tabs.until(queue.add('slow', 'poison', { maxCrashes: 1 }))
    for (let i = 0; i < 2; i++) {
      const { tab, queue: victim } = await tabs.office()
      await tabs.until(victim.worker({ slow: () => new Promise(() => {}) }))
      await tabs.pass(200)
      tabs.server.expire(tab.client.sessionId)
      await tabs.pass(500)
    }
    expect(await tabs.errorOf(task.result())).toMatchObject({
      failure: { name: 'WorkerCrashed' },
    })
    const { tab } = await tabs.office()
    await tabs.pass(200)
    expect((await tabs.until(tab.client.getChildren('/tk/q/q/a'))).children).toEqual([])
  })
})

describe('a worker that closes', () => {
  test('lets its tasks end, takes no more, and is gone', async () => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    const release: (() => void)[] = []
    const worker = await tabs.until(
      queue.worker({ slow: (text) => new Promise((resolve) => release.push(() => resolve(text))) }),
    )
    const [one, two] = await tabs.until(
      queue.addAll([
        { name: 'slow', input: 'one' },
        { name: 'slow', input: 'two' },
      ]),
    )
    await tabs.pass(100)
    const closed = worker.close()
    await tabs.pass(500)
    expect(worker.running).toBe(1)
    release[0]?.()
    await tabs.until(closed)
    expect(await tabs.until(one?.result() as Promise<string>)).toBe('one')
    expect(await tabs.until(two?.state() as Promise<string>)).toBe('waiting')
    expect((await tabs.until(tab.client.getChildren('/tk/q/q/w'))).children).toEqual([])
    expect((await tabs.until(tab.client.getChildren('/tk/q/q/a'))).children).toEqual([])
    await tabs.until(worker.ended)
  })

  test('gives back what does not end in time, and no budget is used', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const stop = new AbortController()
    const reasons: unknown[] = []
    await tabs.until(
      queue.worker(
        {
          slow: (_, { signal }) =>
            new Promise(() => {
              signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code))
            }),
        },
        { signal: stop.signal },
      ),
    )
    const task = await tabs.until(queue.add('slow', 'x', { maxCrashes: 0 }))
    await tabs.pass(100)
    stop.abort()
    await tabs.pass(100)
    expect(reasons).toEqual(['Closing'])
    expect(await tabs.until(task.state())).toBe('waiting')
    await tabs.until(queue.worker({ slow: (text, { attempt }) => `${text}${attempt}` }))
    expect(await tabs.until(task.result())).toBe('x1')
  })
})
