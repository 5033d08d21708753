import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Offices } from './offices.ts'

let tabs: Offices
beforeEach(() => {
  tabs = new Offices()
})
afterEach(async () => {
  await tabs.close()
  expect(tabs.problems).toEqual([])
})

/** A worker whose runs last `ms`, and what ran when. */
async function busy(slots: number, ms: number) {
  const { tab, queue } = await tabs.office()
  const starts: { readonly text: string; readonly at: number }[] = []
  let running = 0
  let most = 0
  await tabs.until(
    queue.worker(
      {
        slow: async (text) => {
          starts.push({ text, at: tabs.server.now })
          most = Math.max(most, ++running)
          await new Promise<void>((resolve) => tab.clock.after(ms, resolve))
          running--
          return text
        },
      },
      { slots },
    ),
  )
  return { queue, starts, most: () => most }
}

const many = (count: number, group: string, from = 0) =>
  Array.from({ length: count }, (_, n) => ({ name: 'slow' as const, input: `${group}${n + from}`, options: { group } }))

describe('groups', () => {
  test('take turns by weight, whoever came first', async () => {
    const { queue, starts } = await busy(1, 100)
    await tabs.until(queue.configure({ groups: { b: { weight: 2 } } }))
    const tasks = await tabs.until(queue.addAll([...many(12, 'a'), ...many(12, 'b')]))
    await tabs.dispatch()
    await tabs.until(Promise.all(tasks.map((task) => task.result())))
    const first = starts.slice(0, 12).map(({ text }) => text.charAt(0))
    expect(first.filter((group) => group === 'b')).toHaveLength(8)
    expect(starts.filter(({ text }) => text.startsWith('a')).map(({ text }) => text)).toEqual(
      many(12, 'a').map(({ input }) => input),
    )
  })

  test('have caps of their own; others pass by', async () => {
    const { queue, starts, most } = await busy(8, 400)
    await tabs.until(queue.configure({ eachGroup: { concurrency: 2 }, groups: { held: { concurrency: 0 } } }))
    await tabs.dispatch()
    const tasks = await tabs.until(queue.addAll([...many(6, 'a'), ...many(6, 'b'), ...many(1, 'held')]))
    await tabs.pass(300)
    expect(starts.map(({ text }) => text.charAt(0)).sort()).toEqual(['a', 'a', 'b', 'b'])
    expect((await tabs.until(tasks[12]!.report())).reason).toBe('the group held is held')
    await tabs.until(Promise.all(tasks.slice(0, 12).map((task) => task.result())))
    expect(most()).toBe(4)
    await tabs.until(queue.configure({ groups: undefined }))
    expect(await tabs.until(tasks[12]!.result())).toBe('held0')
  })

  test('and queues have rates', async () => {
    const { queue, starts } = await busy(20, 10)
    await tabs.until(queue.configure({ eachGroup: { rate: { limit: 2, per: 1000 } } }))
    await tabs.dispatch()
    const tasks = await tabs.until(queue.addAll([...many(6, 'a'), ...many(2, 'b')]))
    await tabs.until(Promise.all(tasks.map((task) => task.result())))
    const times = (group: string) => starts.filter(({ text }) => text.startsWith(group)).map(({ at }) => at)
    const [a, b] = [times('a'), times('b')]
    expect((a[5] as number) - (a[0] as number)).toBeGreaterThanOrEqual(2000)
    expect((b[1] as number) - (a[0] as number)).toBeLessThan(1500)
    await tabs.until(queue.configure({ eachGroup: undefined, rate: { limit: 1, per: 500 } }))
    const more = await tabs.until(queue.addAll(many(4, 'c')))
    await tabs.until(Promise.all(more.map((task) => task.result())))
    const c = times('c')
    expect((c[3] as number) - (c[0] as number)).toBeGreaterThanOrEqual(1400)
  })
})

describe('the queue', () => {
  test('is paused and resumed by one write, says so, and caps what runs', async () => {
    const { queue, starts, most } = await busy(8, 200)
    await tabs.dispatch()
    await tabs.until(queue.pause())
    const tasks = await tabs.until(queue.addAll(many(6, 'x')))
    await tabs.pass(500)
    expect(starts).toEqual([])
    expect(await tabs.until(tasks[0]!.report())).toMatchObject({ state: 'waiting', reason: 'the queue is paused' })
    await tabs.until(queue.configure({ concurrency: 3 }))
    await tabs.until(queue.resume())
    expect(await tabs.until(queue.config())).toEqual({ concurrency: 3 })
    await tabs.until(Promise.all(tasks.map((task) => task.result())))
    expect(most()).toBe(3)
  })

  test('refuses more than maxPending, drains, and takes more again', async () => {
    const { queue } = await busy(4, 100)
    await tabs.until(queue.configure({ maxPending: 5 }))
    await tabs.until(queue.pause())
    await tabs.dispatch()
    const tasks = await tabs.until(queue.addAll(many(5, 'x')))
    expect(await tabs.codeOf(queue.add('slow', 'one too many'))).toBe('QueueFull')
    const other = await tabs.office()
    await tabs.pass(1500)
    expect(await tabs.codeOf(other.queue.add('slow', 'one too many'))).toBe('QueueFull')
    expect(await tabs.codeOf(queue.drained({ timeout: 2000 }))).toBe('Timeout')
    await tabs.until(queue.resume())
    await tabs.until(queue.drained())
    for (const task of tasks) expect(await tabs.until(task.state())).toBe('done')
    await tabs.pass(1000)
    expect(await tabs.until((await tabs.until(queue.add('slow', 'more'))).result())).toBe('more')
  })

  test('names what is wrong with a limit', async () => {
    const { queue } = await tabs.office()
    const bad = [
      { concurrency: -1 },
      { rate: { limit: 0, per: 1 } },
      { groups: { a: { weight: 0 } } },
      { groups: { 'a/b': {} } },
      { maxPending: 0 },
      { paused: 1 },
    ]
    const paths: unknown[] = []
    for (const change of bad) {
      paths.push(((await tabs.errorOf(queue.configure(change as never))) as { path: string }).path)
    }
    expect(paths).toEqual(['concurrency', 'rate.limit', 'groups.a.weight', 'groups', 'maxPending', 'paused'])
  })
})
