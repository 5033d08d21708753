import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bucketOf } from '../../../src/tasks/queue-paths.ts'
import { Offices } from './offices.ts'

let tabs: Offices
beforeEach(() => {
  tabs = new Offices()
})
afterEach(async () => {
  await tabs.close()
  expect(tabs.problems).toEqual([])
})

/** A queue with a worker that notes what it ran. */
async function noting() {
  await tabs.dispatch()
  const { tab, queue } = await tabs.office()
  const ran: number[] = []
  await tabs.until(
    queue.worker(
      {
        double: (n) => {
          ran.push(n)
          if (n < 0) throw new Error('negative')
          return n * 2
        },
      },
      { slots: 4 },
    ),
  )
  return { tab, queue, ran }
}

describe('dependencies', () => {
  test('are waited for, over many steps and many at once', async () => {
    const { queue, ran } = await noting()
    const tasks = await tabs.until(
      queue.addAll([
        { name: 'double', input: 4, options: { id: 'd', after: ['b', 'c'] } },
        { name: 'double', input: 2, options: { id: 'b', after: ['a'] } },
        { name: 'double', input: 3, options: { id: 'c', after: ['a'] } },
        { name: 'double', input: 1, options: { id: 'a', delay: 1000 } },
      ]),
    )
    await tabs.pass(200)
    expect(await tabs.until(tasks[0]!.report())).toMatchObject({
      state: 'blocked',
      reason: 'waits for b, c to end',
    })
    await tabs.until(Promise.all(tasks.map((task) => task.result())))
    expect([ran[0], new Set(ran.slice(1, 3)), ran[3]]).toEqual([1, new Set([2, 3]), 4])
  })

  test('that fail are the end of who waits for them, unless that runs all the same', async () => {
    const { queue } = await noting()
    const bad = await tabs.until(queue.add('double', -1, { delay: 500 }))
    const next = await tabs.until(queue.add('double', 1, { after: [bad] }))
    const last = await tabs.until(queue.add('double', 2, { after: [next.id] }))
    const anyway = await tabs.until(queue.add('double', 3, { after: [bad], onDepFail: 'run' }))
    expect(await tabs.until(anyway.result())).toBe(6)
    for (const task of [next, last]) {
      expect(await tabs.errorOf(task.result())).toMatchObject({ failure: { name: 'DependencyFailed' } })
    }
    // Its letter is among the dead ones; tried again it runs, and its cause does not count any more.
    expect((await tabs.until(queue.deadLetters())).map(({ id }) => id).sort()).toEqual(
      [bad.id, next.id, last.id].sort(),
    )
    expect(await tabs.until(next.retry())).toBe(true)
    expect(await tabs.until(next.result())).toBe(2)
  })

  test('must be there, and no task waits for itself', async () => {
    const { queue } = await noting()
    expect(await tabs.errorOf(queue.add('double', 1, { after: ['nobody'] }))).toMatchObject({
      code: 'NoNode',
      path: 'after',
    })
    expect(await tabs.errorOf(queue.add('double', 1, { id: 'x', after: ['x'] }))).toMatchObject({ path: 'after' })
    const cycle = [
      { name: 'double' as const, input: 1, options: { id: 'x', after: ['z'] } },
      { name: 'double' as const, input: 1, options: { id: 'y', after: ['x'] } },
      { name: 'double' as const, input: 1, options: { id: 'z', after: ['y'] } },
    ]
    expect(await tabs.errorOf(queue.addAll(cycle))).toMatchObject({ code: 'BadArguments', path: 'after' })
    expect(await tabs.codeOf(queue.handle('double', 'x').state())).toBe('NoNode')
  })

  test('are kept as long as somebody waits for them', async () => {
    await tabs.dispatch({ keep: 0 })
    const { queue } = await tabs.office()
    const worker = await tabs.until(queue.worker({ double: (n) => n }))
    const first = await tabs.until(queue.add('double', 1))
    await tabs.until(first.result())
    await tabs.until(worker.close())
    const second = await tabs.until(queue.add('double', 2, { after: [first] }))
    await tabs.pass(30_000)
    expect(await tabs.until(first.state())).toBe('done')
    await tabs.until(queue.worker({ double: (n) => n }))
    expect(await tabs.until(second.result())).toBe(2)
    await tabs.pass(30_000)
    expect(await tabs.codeOf(first.state())).toBe('NoNode')
  })
})

describe('a deduplication key', () => {
  test('joins or refuses while one has not ended', async () => {
    const { queue, ran } = await noting()
    const first = await tabs.until(queue.add('double', 1, { delay: 1000, dedup: { key: 'k' } }))
    const second = await tabs.until(queue.add('double', 2, { dedup: { key: 'k' } }))
    expect(second.id).toBe(first.id)
    const refused = queue.add('double', 3, { dedup: { key: 'k', mode: 'reject' } })
    expect(await tabs.errorOf(refused)).toMatchObject({ code: 'NodeExists', path: 'dedup.key' })
    expect(await tabs.until(second.result())).toBe(2)
    const third = await tabs.until(queue.add('double', 4, { dedup: { key: 'k', mode: 'reject' } }))
    expect(await tabs.until(third.result())).toBe(8)
    const soon = await tabs.until(queue.add('double', 5, { dedup: { key: 'k', throttle: 60_000 } }))
    expect(soon.id).toBe(third.id)
    expect(ran).toEqual([1, 4])
  })

  test('replaces, and waits for quiet', async () => {
    const { queue, ran } = await noting()
    const old = await tabs.until(queue.add('double', 1, { delay: 5000, dedup: { key: 'r' } }))
    const next = await tabs.until(queue.add('double', 2, { dedup: { key: 'r', mode: 'replace' } }))
    expect(await tabs.codeOf(old.result())).toBe('TaskCancelled')
    expect(await tabs.until(next.result())).toBe(4)
    const began = tabs.server.now
    const burst = []
    for (let n = 10; n < 15; n++) {
      burst.push(await tabs.until(queue.add('double', n, { delay: 1000, dedup: { key: 'b', mode: 'debounce' } })))
      await tabs.pass(400)
    }
    expect(await tabs.until(burst[4]!.result())).toBe(28)
    expect(tabs.server.now - began).toBeGreaterThanOrEqual(2600)
    expect(ran).toEqual([2, 14])
  })

  test('runs once more after the one that runs, with the latest input', async () => {
    await tabs.dispatch()
    const { queue } = await tabs.office()
    const ran: number[] = []
    const gates: (() => void)[] = []
    await tabs.until(
      queue.worker(
        {
          double: async (n: number) => {
            ran.push(n)
            await new Promise<void>((resolve) => gates.push(resolve))
            return n * 2
          },
        },
        { slots: 4 },
      ),
    )
    const rerun = (n: number) => tabs.until(queue.add('double', n, { dedup: { key: 'k', mode: 'rerun' } }))
    const first = await rerun(1)
    await tabs.pass(1000)
    expect(ran).toEqual([1])
    const [second, third, fourth] = [await rerun(2), await rerun(3), await rerun(4)]
    await tabs.pass(2000)
    expect(ran).toEqual([1])
    expect(await tabs.until(fourth.report())).toMatchObject({ state: 'blocked' })
    expect(await tabs.codeOf(second.result())).toBe('TaskCancelled')
    expect(await tabs.codeOf(third.result())).toBe('TaskCancelled')
    gates.shift()?.()
    expect(await tabs.until(first.result())).toBe(2)
    await tabs.pass(1000)
    expect(ran).toEqual([1, 4])
    gates.shift()?.()
    expect(await tabs.until(fourth.result())).toBe(8)
    const fifth = await rerun(5)
    await tabs.pass(1000)
    gates.shift()?.()
    expect(await tabs.until(fifth.result())).toBe(10)
  })

  test('that is rerun by three pages at once runs one at a time, and the last that was added runs', async () => {
    await tabs.dispatch()
    const offices = await Promise.all([tabs.office(), tabs.office(), tabs.office()])
    let running = 0
    let most = 0
    const done: string[] = []
    for (const { queue } of offices) {
      await tabs.until(
        queue.worker({
          double: async (n: number, { id }) => {
            most = Math.max(most, ++running)
            for (let i = 0; i < 5; i++) await Promise.resolve()
            running--
            done.push(id)
            return n
          },
        }),
      )
    }
    const adding = Array.from({ length: 60 }, (_, n) =>
      offices[n % 3]!.queue.add('double', n, { dedup: { key: 'one', mode: 'rerun' } }),
    )
    const handles = await tabs.until(Promise.all(adding))
    await tabs.until(offices[0]!.queue.drained())
    const states = await tabs.until(Promise.all(handles.map((one) => one.state())))
    expect(new Set(states)).toEqual(new Set(['done', 'cancelled']))
    expect(done).toHaveLength(states.filter((state) => state === 'done').length)
    expect(most).toBe(1)
    const { data } = await tabs.until(offices[0]!.tab.client.getData(`/tk/q/q/d/${bucketOf('one')}/one`))
    expect(done.at(-1)).toBe(new TextDecoder().decode(data ?? new Uint8Array()))
  })

  test('goes when its last task is collected', async () => {
    await tabs.dispatch({ keep: 0 })
    const { tab, queue } = await tabs.office()
    await tabs.until(queue.worker({ double: (n) => n }))
    const task = await tabs.until(queue.add('double', 1, { dedup: { key: 'k' } }))
    await tabs.until(task.result())
    await tabs.pass(15_000)
    expect((await tabs.until(tab.client.getChildren(`/tk/q/q/d/${bucketOf('k')}`))).children).toEqual([])
  })

  test('in 60 adds of three pages at once is one task', async () => {
    const { queue, ran } = await noting()
    const offices = await Promise.all([tabs.office(), tabs.office(), tabs.office()])
    const adding = Array.from({ length: 60 }, (_, n) =>
      offices[n % 3]!.queue.add('double', n, { delay: 1000, dedup: { key: 'one' } }),
    )
    const handles = await tabs.until(Promise.all(adding))
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    await tabs.until(handles[0]!.result())
    expect(ran).toHaveLength(1)
    await tabs.until(queue.drained())
  })
})

describe('bad input', () => {
  test('is refused at add, by name', async () => {
    const { queue } = await tabs.office()
    const wrong = [
      { group: 'a/b' },
      { after: 'x' },
      { after: [7] },
      { onDepFail: 'explode' },
      { runAt: new Date(Number.NaN) },
      { runAt: 5, delay: 5 },
      { expires: -1 },
      { affinity: '' },
      { dedup: { key: '' } },
      { dedup: { key: 'k', mode: 'often' } },
      { dedup: { key: 'k', mode: 'debounce' } },
      { dedup: { key: 'k', throttle: -1 } },
      { dedup: { key: 'k', mode: 'rerun' }, after: ['x'] },
      { onDuplicate: 'maybe' },
    ]
    const paths: unknown[] = []
    for (const options of wrong) {
      const error = await tabs.errorOf(queue.add('double', 1, options as never))
      expect(error).toMatchObject({ code: 'BadArguments' })
      paths.push((error as { path: string }).path)
    }
    expect(paths).toEqual([
      ...['group', 'after', 'after', 'onDepFail', 'runAt', 'runAt', 'expires', 'affinity'],
      ...['dedup.key', 'dedup.mode', 'dedup.mode', 'dedup.throttle', 'after', 'onDuplicate'],
    ])
  })

  test('a time that is past is now; an id may be refused where it exists', async () => {
    const { queue } = await noting()
    const task = await tabs.until(queue.add('double', 1, { id: 'x', runAt: new Date(0) }))
    expect(await tabs.until(task.result())).toBe(2)
    expect(await tabs.codeOf(queue.add('double', 1, { id: 'x', onDuplicate: 'reject' }))).toBe('NodeExists')
    const later = await tabs.until(queue.add('double', 2, { runAt: tabs.server.wall + 3000 }))
    await tabs.pass(2000)
    expect((await tabs.until(later.report())).reason).toMatch(/^due at 20/)
    expect(await tabs.until(later.result())).toBe(4)
  })

  test('that no worker can do says so', async () => {
    const { queue } = await tabs.office()
    const task = await tabs.until(queue.add('slow', 'x', { requires: { gpu: true } }))
    expect((await tabs.until(task.report())).reason).toBe('nobody dispatches this queue now')
    await tabs.dispatch()
    await tabs.pass(200)
    expect((await tabs.until(task.report())).reason).toBe('no worker has a handler for slow')
    await tabs.until(queue.worker({ slow: (text) => text }))
    expect((await tabs.until(task.report())).reason).toBe('no worker has the labels {"gpu":true}')
    const never = await tabs.until(queue.add('slow', 'x', { requires: { gpu: true }, expires: 3000 }))
    expect(await tabs.errorOf(never.result())).toMatchObject({ failure: { name: 'Expired' } })
  })
})
