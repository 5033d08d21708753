import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TaskQueue } from '../../../src/tasks/task-queue.ts'
import type { TaskContext, TaskReport } from '../../../src/tasks/task-types.ts'
import type { PageLife, PageState } from '../../../src/tasks/task-world.ts'
import { type Jobs, Offices } from './offices.ts'

let tabs: Offices
beforeEach(() => {
  tabs = new Offices()
})
afterEach(async () => {
  await tabs.close()
  expect(tabs.problems).toEqual([])
})

describe('what a handler says', () => {
  test('is seen by who asks, and its checkpoint by the next attempt, though the page crashed', async () => {
    await tabs.dispatch()
    const [first, second] = [await tabs.office(4000), await tabs.office()]
    const begun: unknown[] = []
    const slow = async (_: string, context: TaskContext): Promise<string> => {
      begun.push(context.checkpoint)
      context.log(`attempt ${context.attempt}`)
      context.progress({ done: 3 })
      if (context.checkpoint !== undefined) return `from ${JSON.stringify(context.checkpoint)}`
      await context.saveCheckpoint({ step: 3 })
      return new Promise(() => {})
    }
    await tabs.until(first.queue.worker({ slow }))
    const task = await tabs.until(second.queue.add('slow', 'x'))
    await tabs.pass(500)
    expect(await tabs.until(task.report())).toMatchObject({
      state: 'running',
      progress: { done: 3 },
      log: ['attempt 0'],
    })
    await tabs.until(second.queue.worker({ slow }))
    first.tab.freeze()
    expect(await tabs.until(task.result())).toBe('from {"step":3}')
    expect(begun).toEqual([undefined, { step: 3 }])
    expect((await tabs.until(task.report())).log).toEqual(['attempt 0', 'attempt 1'])
  })

  test('survives a failed attempt, is written at most once a second, and is refused once the lease is lost', async () => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    const contexts: TaskContext[] = []
    await tabs.until(
      queue.worker({
        slow: async (_, context) => {
          contexts.push(context)
          if (context.attempt === 0) {
            await context.saveCheckpoint([1, 2])
            throw new Error('again')
          }
          for (let i = 0; i < 40; i++) {
            context.progress(i)
            await new Promise<void>((resolve) => tab.clock.after(100, resolve))
          }
          return JSON.stringify(context.checkpoint)
        },
      }),
    )
    const task = await tabs.until(queue.add('slow', '', { retry: { max: 1, backoff: { delay: 0 } } }))
    expect(await tabs.until(task.result())).toBe('[1,2]')
    expect((await tabs.until(task.report())).progress).toBe(39)
    const stat = await tabs.until(tab.client.exists((contexts[1] as TaskContext).token.path))
    expect(stat).toBeNull()
    await expect(tabs.until(contexts[1]!.saveCheckpoint(1))).rejects.toMatchObject({ name: 'RunEndedError' })
    expect(() => contexts[1]!.progress('x'.repeat(5000))).toThrow(/over the limit/)
    expect(() => contexts[1]!.progress(1n)).toThrow(/JSON/)
  })

  test('comes as events of the task and of the queue', async () => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    const stop = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of queue.events({ signal: stop.signal })) {
        seen.push(event.kind === 'resync' ? event.kind : `${event.kind} ${event.id}`)
      }
    })()
    watching.catch(() => {})
    const heard: string[] = []
    const target = queue.listen({ signal: stop.signal })
    target.addEventListener('waiting', ({ detail }) => heard.push(`waiting ${detail.id}`))
    target.addEventListener('done', ({ detail }) => heard.push(`done ${detail.id} in attempt ${detail.attempt}`))
    const other = await tabs.office()
    const ends = new Promise((resolve) => other.queue.listen().addEventListener('end', resolve))
    await tabs.until(queue.configure({}))
    await tabs.pass(100)
    const task = await tabs.until(queue.add('slow', 'x', { id: 't', retry: { max: 1, backoff: { delay: 500 } } }))
    const reports: TaskReport[] = []
    const following = (async () => {
      for await (const report of task.events()) reports.push(report)
    })()
    await tabs.pass(200)
    await tabs.until(
      queue.worker({
        slow: async (_, context) => {
          context.progress(context.attempt + 0.5)
          await new Promise<void>((resolve) => tab.clock.after(200, resolve))
          if (context.attempt === 0) throw new Error('once')
          return 'y'
        },
      }),
    )
    await tabs.until(following)
    expect(reports.map(({ state }) => state)).toEqual(['waiting', 'running', 'delayed', 'running', 'done'])
    expect(reports.map(({ progress }) => progress)).toEqual([undefined, 0.5, 0.5, 1.5, 1.5])
    await tabs.pass(200)
    expect(seen).toEqual(['waiting t', 'progress t', 'waiting t', 'progress t', 'done t'])
    expect(heard).toEqual(['waiting t', 'waiting t', 'done t in attempt 1'])
    stop.abort()
    expect(await tabs.codeOf(watching)).toBe('Aborted')
    await tabs.until(other.tab.client.close())
    await tabs.until(ends)
    await tabs.until(queue.add('slow', 'z'))
    await tabs.pass(200)
    expect(heard).toHaveLength(3)
  })
})

describe('a timeout', () => {
  test('that the worker does not notice is the dispatcher’s, and nothing more is sent there before it speaks', async () => {
    await tabs.dispatch()
    const [frozen, other] = [await tabs.office(60_000), await tabs.office()]
    let runs = 0
    const slow = (text: string): Promise<string> | string => (++runs === 1 ? new Promise(() => {}) : text)
    await tabs.until(frozen.queue.worker({ slow }, { slots: 4 }))
    const task = await tabs.until(
      other.queue.add('slow', 'x', { timeout: 3000, retry: { max: 3, backoff: { delay: 0 } } }),
    )
    await tabs.pass(200)
    frozen.tab.freeze()
    await tabs.pass(7000)
    expect(await tabs.until(task.report())).toMatchObject({
      ...{ state: 'waiting', fails: 1, failure: { name: 'Timeout' } },
      reason: 'waits for a free slot',
    })
    frozen.tab.thaw()
    expect(await tabs.until(task.result())).toBe('x')
    expect(runs).toBe(2)
  })
})

class Life implements PageLife {
  #state: PageState = 'visible'
  readonly #listeners: (() => void)[] = []

  get state(): PageState {
    return this.#state
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  become(state: PageState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

describe('the page of a worker', () => {
  const open = async (whenHidden: 'keep' | 'pause' | 'return') => {
    await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    const page = new Life()
    const there = new TaskQueue<Jobs>({ ...tab, page }, 'q')
    const reasons: string[] = []
    const worker = await tabs.until(
      there.worker(
        {
          slow: (_, { signal }) =>
            new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason.code))),
        },
        { slots: 2, whenHidden },
      ),
    )
    const task = await tabs.until(queue.add('slow', 'x', { maxCrashes: 0 }))
    await tabs.pass(200)
    return { page, worker, task, reasons, queue }
  }

  test('that is frozen has given back what ran, and gets it again when it goes on', async () => {
    const { page, worker, task, reasons } = await open('keep')
    page.become('frozen')
    await tabs.pass(300)
    expect([reasons, worker.slots, await tabs.until(task.state())]).toEqual([['Closing'], 0, 'waiting'])
    expect((await tabs.until(task.report())).reason).toMatch(/takes nothing now/)
    page.become('hidden')
    await tabs.pass(300)
    expect([worker.slots, await tabs.until(task.state())]).toEqual([2, 'running'])
  })

  test('that is hidden takes no more, or gives back, as it was told to', async () => {
    const paused = await open('pause')
    paused.page.become('hidden')
    const more = await tabs.until(paused.queue.add('slow', 'y'))
    await tabs.pass(300)
    expect([await tabs.until(paused.task.state()), await tabs.until(more.state())]).toEqual(['running', 'waiting'])
    paused.page.become('visible')
    await tabs.pass(300)
    expect(await tabs.until(more.state())).toBe('running')
    await tabs.until(paused.worker.close({ timeout: 0 }))
    const returned = await open('return')
    await tabs.pass(500)
    returned.page.become('hidden')
    await tabs.pass(300)
    expect(returned.reasons.length).toBeGreaterThan(0)
    expect(returned.worker.running).toBe(0)
  })
})
