import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LockLostError } from '../../../src/recipes/hold.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { ownerOf, Partition } from '../../../src/recipes/partition.ts'
import { PlainQueue } from '../../../src/recipes/plain-queue.ts'
import { codeOf, lossy } from './lossy.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(11)
})
afterEach(() => tabs.close())

const pages = (count: number, timeout = 10_000): Promise<Tab[]> =>
  Promise.all(Array.from({ length: count }, () => tabs.open(timeout)))
const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? undefined)

describe('a plain queue', () => {
  test('gives each item to one taker, in order, although replies are lost', async () => {
    const all = await pages(3, 60_000)
    const [producer, ...takers] = all as [Tab, ...Tab[]]
    tabs.fate = lossy(tabs, 0.05)
    const queue = new PlainQueue(producer, 'q')
    for (let i = 0; i < 12; i++) await tabs.until(queue.put(String(i)), 600_000)
    const taken: string[] = []
    const taking = takers.map(async (page) => {
      const own = new PlainQueue(page, 'q')
      for (let i = 0; i < 6; i++) taken.push(text((await own.take()).data))
    })
    await tabs.until(Promise.all(taking), 900_000)
    tabs.fate = () => 'passes'
    expect(taken.map(Number)).toEqual(Array.from({ length: 12 }, (_, i) => i))
    await tabs.until(producer.client.sync('/'))
    expect(await tabs.until(queue.size())).toBe(0)
  })

  test('gives what is urgent first, waits when it is empty, and takes nothing after a timeout', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const queue = new PlainQueue(a, 'q')
    expect(await tabs.until(codeOf(queue.take({ timeout: 200 })))).toBe('Timeout')
    const waiting = queue.take()
    await tabs.pass(100)
    const others = new PlainQueue(b, 'q')
    await tabs.until(others.put('one'))
    expect(text((await tabs.until(waiting)).data)).toBe('one')
    await tabs.until(others.put('later', { priority: 900 }))
    await tabs.until(others.put('now', { priority: 1 }))
    expect(await tabs.until(queue.take())).toMatchObject({ priority: 1 })
    expect(await tabs.until(codeOf(others.put('x', { priority: 1000 })))).toBe('BadArguments')
  })

  test('keeps an item whose work failed or whose page died, for the next', async () => {
    const [a, b] = (await pages(2, 4000)) as [Tab, Tab]
    const queue = new PlainQueue(a, 'q')
    await tabs.until(queue.put('job'))
    const boom = queue.process(() => {
      throw new Error('boom')
    })
    await expect(tabs.until(boom)).rejects.toThrow('boom')
    const dying = queue.process(() => new Promise<void>(() => {}))
    dying.catch(() => {})
    await tabs.pass(100)
    a.freeze()
    const done = await tabs.until(new PlainQueue(b, 'q').process((item) => `did ${text(item.data)}`))
    expect(done).toBe('did job')
    expect(await tabs.until(new PlainQueue(b, 'q').size())).toBe(0)
  })
})

describe('several locks together', () => {
  test('do not deadlock, whatever the order of asking, and are all or none', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const log: string[] = []
    const work = [
      { page: a, names: ['x', 'y'] },
      { page: b, names: ['y', 'x', 'y'] },
    ].map(async ({ page, names }, i) => {
      await using held = await new Locks(page).acquireAll(names)
      log.push(`in ${i}`)
      await page.client.multi([...held.guards(), { op: 'create', path: `/done-${i}` }])
      log.push(`out ${i}`)
    })
    await tabs.until(Promise.all(work))
    expect(log).toEqual(['in 0', 'out 0', 'in 1', 'out 1'])
    const y = await tabs.until(new Locks(a).acquire('y'))
    expect(await tabs.until(codeOf(new Locks(b).acquireAll(['x', 'y'], { timeout: 300 })))).toBe('Timeout')
    await tabs.pass(50)
    await tabs.until(new Locks(a).acquire('x', { timeout: 300 }))
    await tabs.until(y.release())
  })
})

describe('a lock that is taken away', () => {
  test('is asked for first, then taken: the guard is refused from then on', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const hold = await tabs.until(new Locks(a).acquire('doc'))
    const revoking = new Locks(b).revoke('doc', { reason: 'maintenance', grace: 1000 })
    await tabs.pass(200)
    expect(hold.asked.aborted).toBe(true)
    expect(hold.asked.reason).toBe('maintenance')
    expect(hold.signal.aborted).toBe(false)
    await tabs.until(revoking)
    expect(hold.signal.reason).toBeInstanceOf(LockLostError)
    expect(hold.signal.reason).toMatchObject({ loss: 'revoked' })
    expect(await tabs.until(codeOf(a.client.multi([hold.guard()])))).toBe('NoNode')
  })

  test('is given back in time: nobody waits for the rest of the grace', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const hold = await tabs.until(new Locks(a).acquire('doc'))
    hold.asked.addEventListener('abort', () => hold.release())
    const start = tabs.server.now
    await tabs.until(new Locks(b).revoke('doc', { grace: 60_000 }))
    expect(tabs.server.now - start).toBeLessThan(2000)
    expect(hold.signal.reason).toMatchObject({ loss: 'released' })
  })

  test('is stolen before all who wait; its request rejects as navigator.locks does', async () => {
    const [a, b, c] = (await pages(3)) as [Tab, Tab, Tab]
    const order: string[] = []
    const held = new Locks(a).request('doc', () => new Promise<void>(() => {}))
    const ended = codeOf(held)
    const error = held.catch((reason: unknown) => reason)
    await tabs.pass(50)
    const waiting = new Locks(b).request('doc', async () => void order.push('waited'))
    await tabs.pass(50)
    const robbed = new Locks(c).request('doc', { steal: true }, () => new Promise<void>(() => order.push('thief')))
    const alsoRobbed = robbed.catch((reason: unknown) => reason)
    await tabs.pass(50)
    await tabs.until(new Locks(c).request('doc', { steal: true }, async () => void order.push('second thief')))
    await tabs.until(waiting)
    expect(order).toEqual(['thief', 'second thief', 'waited'])
    await tabs.until(ended)
    for (const lost of [error, alsoRobbed]) expect(await tabs.until(lost)).toMatchObject({ name: 'AbortError' })
    const impossible = new Locks(c).request('doc', { steal: true, ifAvailable: true }, () => 0)
    expect(await tabs.until(codeOf(impossible))).toBe('BadArguments')
  })
})

describe('a partition', () => {
  test('moves only what must move when a member comes', () => {
    const items = Array.from({ length: 300 }, (_, i) => `item ${i}`)
    const before = items.map((item) => ownerOf(item, ['a', 'b', 'c']))
    const after = items.map((item) => ownerOf(item, ['a', 'b', 'c', 'd']))
    const moved = items.filter((_, i) => before[i] !== after[i])
    expect(moved.every((item) => ownerOf(item, ['a', 'b', 'c', 'd']) === 'd')).toBe(true)
    expect(moved.length).toBeGreaterThan(45)
    expect(moved.length).toBeLessThan(105)
    expect(ownerOf('x', [])).toBeNull()
  })

  test('has every item worked on by one page at a time, while pages come and die', async () => {
    const all = (await pages(3, 4000)) as [Tab, Tab, Tab]
    const items = ['p', 'q', 'r', 's', 't', 'u']
    const working = new Map<string, Set<number>>(items.map((item) => [item, new Set()]))
    let overlap = false
    const stops = all.map(() => new AbortController())
    const run = (at: number): Promise<void> =>
      new Partition(all[at] as Tab, 'shards', items).run(
        async ({ item, signal }) => {
          const here = working.get(item) as Set<number>
          // A frozen page thinks that it works on; its guard would be refused.
          if ([...here].some((other) => other !== 0)) overlap = true
          here.add(at)
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          here.delete(at)
        },
        { id: `page ${at}`, signal: (stops[at] as AbortController).signal },
      )
    const runs = [run(0)]
    await tabs.pass(500)
    expect([...working.values()].every((at) => at.has(0))).toBe(true)
    runs.push(run(1), run(2))
    await tabs.pass(2000)
    const owners = (): number[][] => items.map((item) => [...(working.get(item) ?? [])])
    expect(owners().every((at) => at.length === 1)).toBe(true)
    expect(new Set(owners().flat()).size).toBe(3)
    all[0].freeze()
    await tabs.pass(10_000)
    expect(items.every((item) => [...(working.get(item) ?? [])].some((at) => at !== 0))).toBe(true)
    expect(overlap).toBe(false)
    all[0].thaw()
    for (const stop of stops) stop.abort()
    await tabs.until(Promise.all(runs.map((one) => one.catch(() => undefined))))
  })
})
