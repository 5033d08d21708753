import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import { Barrier, DoubleBarrier } from '../../../src/recipes/barrier.ts'
import { Cache } from '../../../src/recipes/cache.ts'
import { Cell } from '../../../src/recipes/cell.ts'
import { Counter, IdGenerator } from '../../../src/recipes/counter.ts'
import { Election } from '../../../src/recipes/election.ts'
import { CountdownLatch } from '../../../src/recipes/latch.ts'
import { Leases } from '../../../src/recipes/lease.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { Group } from '../../../src/recipes/membership.ts'
import { PlainQueue } from '../../../src/recipes/plain-queue.ts'
import { keepPresent } from '../../../src/recipes/presence.ts'
import { Semaphore } from '../../../src/recipes/semaphore.ts'
import { codeOf } from './lossy.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(21)
})
afterEach(() => tabs.close())

interface WaitOptions {
  readonly signal?: AbortSignal
  readonly timeout?: number
}

/** Every wait of every recipe. `ready` is carried out while all is well. */
const WAITS: readonly {
  readonly name: string
  readonly ready?: (tab: Tab) => Promise<(options: WaitOptions) => Promise<unknown>>
  readonly wait?: (tab: Tab, options: WaitOptions) => Promise<unknown>
}[] = [
  { name: 'a lock', wait: (tab, options) => new Locks(tab).acquire('a', options) },
  {
    name: 'a lock if it is free',
    wait: (tab, options) => new Locks(tab).request('a', { ...options, ifAvailable: true }, () => 0),
  },
  {
    name: 'a lock stolen',
    wait: (tab, options) => new Locks(tab).request('a', { ...options, steal: true }, () => 0),
  },
  { name: 'several locks', wait: (tab, options) => new Locks(tab).acquireAll(['a', 'b'], options) },
  {
    name: 'several locks of which one is held',
    ready: async (tab) => {
      const locks = new Locks(tab)
      await locks.acquire('b', { lossPolicy: 'lost' })
      return (options) => locks.acquireAll(['a', 'b'], options)
    },
  },
  { name: 'permits', wait: (tab, options) => new Semaphore(tab, 's', 2).acquire(options) },
  { name: 'a double barrier', wait: (tab, options) => new DoubleBarrier(tab, 'd', 2).enter(options) },
  {
    name: 'the end of a double barrier',
    ready: async (tab) => {
      const two = [0, 1].map(() => new DoubleBarrier(tab, 'd', 2).enter())
      const [one] = await Promise.all(two)
      return (options) => one?.leave(options) as Promise<void>
    },
  },
  { name: 'a barrier', wait: (tab, options) => new Barrier(tab, 'b').wait(options) },
  { name: 'a latch', wait: (tab, options) => new CountdownLatch(tab, 'l', 1).wait(options) },
  { name: 'a counter', wait: (tab, options) => new Counter(tab, 'c').add(1, options) },
  {
    name: 'a counter behind another addition',
    ready: async (tab) => {
      const counter = new Counter(tab, 'c')
      return (options) => {
        counter.add(1).catch(() => {})
        return counter.add(1, options)
      }
    },
  },
  {
    name: 'an id behind another',
    ready: async (tab) => {
      const ids = new IdGenerator(tab, 'i', 10)
      return (options) => {
        ids.next().catch(() => {})
        return ids.next(options)
      }
    },
  },
  { name: 'a cell', wait: (tab, options) => new Cell<number>(tab, 'c').update(() => 1, options) },
  { name: 'a lease', wait: (tab, options) => new Leases(tab).obtain('x', 1000, options) },
  { name: 'an item', wait: (tab, options) => new PlainQueue(tab, 'q').take(options) },
  { name: 'a cache', wait: (tab, options) => new Cache(tab, '/').ready(options) },
]

for (const { name, ready, wait } of WAITS) {
  test(`${name}: a wait ends by its timeout and by its signal where no server answers, and leaves nothing`, async () => {
    const tab = await tabs.open(60_000)
    const other = await tabs.open(60_000)
    const ask = ready === undefined ? (options: WaitOptions) => wait?.(tab, options) : await tabs.until(ready(tab))
    const before = await tabs.until(tab.client.getEphemerals())
    tabs.server.stop()
    tabs.server.cut()
    await tabs.pass(100)
    expect(tab.client.state).toBe('suspended')
    expect(await tabs.until(codeOf(Promise.resolve(ask({ timeout: 300 }))), 2000)).toBe('Timeout')
    const stop = new AbortController()
    const stopped = codeOf(Promise.resolve(ask({ signal: stop.signal })))
    await tabs.pass(100)
    stop.abort(new KeeperError('Aborted', 'enough'))
    expect(await tabs.until(stopped, 2000)).toBe('Aborted')
    tabs.server.start()
    await tabs.pass(5000)
    expect(tab.client.state).toBe('connected')
    const left = (await tabs.until(tab.client.getEphemerals())).filter((path) => !path.startsWith('/tk/marks/'))
    // Who ended its wait for the end of a double barrier has left it.
    expect(before).toEqual(expect.arrayContaining(left))
    expect(await tabs.until(codeOf(new Locks(other).acquire('a', { timeout: 1000 })))).toBe('resolved')
  })
}

/** Every iterator of every recipe. */
const STREAMS: readonly (readonly [string, (tab: Tab, signal: AbortSignal) => AsyncIterable<unknown>])[] = [
  ['a cell', (tab, signal) => new Cell(tab, 'c').watch({ signal })],
  ['a counter', (tab, signal) => new Counter(tab, 'c').watch({ signal })],
  ['an election', (tab, signal) => new Election(tab, 'e', 'id').observe({ signal })],
  ['a group', (tab, signal) => new Group(tab, 'g').watch({ signal })],
]

for (const [name, stream] of STREAMS) {
  test(`${name}: an iterator that began where no server answers ends by its signal`, async () => {
    const tab = await tabs.open(60_000)
    tabs.server.stop()
    tabs.server.cut()
    await tabs.pass(100)
    const stop = new AbortController()
    const read = async (): Promise<string> => {
      for await (const _ of stream(tab, stop.signal)) return 'something'
      return 'ended'
    }
    const reading = read()
    await tabs.pass(100)
    stop.abort()
    expect(await tabs.until(reading, 2000)).toBe('ended')
    tabs.server.start()
    await tabs.pass(5000)
  })
}

test('a cache is closed where no server answers, and who waits for it is told', async () => {
  const tab = await tabs.open(60_000)
  tabs.server.stop()
  tabs.server.cut()
  await tabs.pass(100)
  const cache = new Cache(tab, '/')
  const ready = codeOf(cache.ready())
  const until = codeOf(cache.until(() => true))
  await tabs.until(cache.close(), 2000)
  expect(await tabs.until(ready, 2000)).toBe('Closed')
  expect(await tabs.until(until, 2000)).toBe('Closed')
  tabs.server.start()
  await tabs.pass(5000)
})

test('a presence that is ended by its signal is gone, also one whose making nobody waited for', async () => {
  const [a, b] = [await tabs.open(60_000), await tabs.open(60_000)]
  const stop = new AbortController()
  const presence = await tabs.until(keepPresent(a, '/p', null, { signal: stop.signal }))
  stop.abort()
  await tabs.pass(200)
  expect(await tabs.until(b.client.exists('/p'))).toBeNull()
  expect(await tabs.until(codeOf(presence.update('x')))).toBe('Aborted')
  tabs.server.stop()
  tabs.server.cut()
  await tabs.pass(100)
  const early = new AbortController()
  const never = codeOf(keepPresent(a, '/q', null, { signal: early.signal }))
  await tabs.pass(100)
  early.abort()
  expect(await tabs.until(never, 2000)).toBe('Aborted')
  tabs.server.start()
  await tabs.pass(5000)
  expect(await tabs.until(a.client.exists('/q'))).toBeNull()
})
