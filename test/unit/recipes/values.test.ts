import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Cell, type Versioned } from '../../../src/recipes/cell.ts'
import { Counter, IdGenerator } from '../../../src/recipes/counter.ts'
import { CountdownLatch } from '../../../src/recipes/latch.ts'
import { Leases } from '../../../src/recipes/lease.ts'
import { codeOf, lossy } from './lossy.ts'
import { Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(3)
})
afterEach(() => tabs.close())

describe('a counter', () => {
  test('counts each addition once although requests and replies are lost', async () => {
    const pages = await Promise.all([tabs.open(60_000), tabs.open(60_000), tabs.open(60_000)])
    tabs.fate = lossy(tabs, 0.15)
    const sums = await tabs.until(
      Promise.all(
        pages.map(async (page) => {
          const counter = new Counter(page, 'n')
          const seen: number[] = []
          for (let i = 0; i < 15; i++) seen.push(await counter.add(1))
          return seen
        }),
      ),
      600_000,
    )
    tabs.fate = () => 'passes'
    expect(new Set(sums.flat()).size).toBe(45)
    expect(Math.max(...sums.flat())).toBe(45)
    const [page] = pages
    await tabs.until(page?.client.sync('/') ?? Promise.reject())
    expect(await tabs.until(new Counter(page as never, 'n').get())).toBe(45)
  })

  test('refuses what is no whole number, before it writes', async () => {
    const counter = new Counter(await tabs.open(), 'n')
    expect(await tabs.until(codeOf(counter.add(0.5)))).toBe('BadArguments')
    await tabs.until(counter.add(Number.MAX_SAFE_INTEGER))
    expect(await tabs.until(codeOf(counter.add(1)))).toBe('BadArguments')
    expect(await tabs.until(counter.get())).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('gives blocks of ids of which no two are the same', async () => {
    const pages = await Promise.all([tabs.open(), tabs.open()])
    const taken = pages.map((page) => {
      const ids = new IdGenerator(page, 'orders', 4)
      return Promise.all(Array.from({ length: 10 }, () => ids.next()))
    })
    const all = (await tabs.until(Promise.all(taken))).flat()
    expect(new Set(all).size).toBe(20)
    expect(Math.min(...all)).toBe(1)
  })
})

describe('a cell', () => {
  test('is updated by many without a lost update', async () => {
    const pages = await Promise.all([tabs.open(), tabs.open()])
    const updates = pages.flatMap((page, i) => {
      const cell = new Cell<string[]>(page, 'list')
      return [0, 1, 2].map((n) => cell.update((list = []) => [...list, `${i}.${n}`]))
    })
    await tabs.until(Promise.all(updates))
    const { value, version } =
      (await tabs.until(new Cell<string[]>(pages[0] as never, 'list').update((l = []) => l))) ?? {}
    expect([...(value ?? [])].sort()).toEqual(['0.0', '0.1', '0.2', '1.0', '1.1', '1.2'])
    expect(version).toBe(6)
  })

  test('is set over one version only, and an emptied one does not begin to count anew', async () => {
    const page = await tabs.open()
    const cell = new Cell<number>(page, 'c')
    const first = await tabs.until(cell.set(1, { ifVersion: null }))
    expect(await tabs.until(codeOf(cell.set(2, { ifVersion: null })))).toBe('NodeExists')
    await tabs.until(cell.delete())
    expect(await tabs.until(cell.get())).toBeNull()
    expect(await tabs.until(codeOf(cell.set(2, { ifVersion: first.version })))).toBe('BadVersion')
    const third = await tabs.until(cell.set(3, { ifVersion: null }))
    expect(third.version).toBeGreaterThan(first.version)
    expect(third.zxid).toBeGreaterThan(first.zxid)
    expect(await tabs.until(codeOf(cell.set(undefined as never)))).toBe('BadArguments')
  })

  test('tells each change, also of a node that was not there', async () => {
    const [a, b] = [await tabs.open(), await tabs.open()]
    const seen: (Versioned<number> | null)[] = []
    const stop = new AbortController()
    const reading = (async () => {
      for await (const now of new Cell<number>(a, 'c').watch({ signal: stop.signal })) seen.push(now)
    })()
    await tabs.pass(100)
    const cell = new Cell<number>(b, 'c')
    for (const n of [1, 2]) {
      await tabs.until(cell.set(n))
      await tabs.pass(100)
    }
    stop.abort()
    await tabs.until(reading)
    expect(seen.map((now) => now?.value)).toEqual([undefined, 1, 2])
  })
})

describe('a countdown latch', () => {
  test('opens after so many, each counted once', async () => {
    const pages = await Promise.all([tabs.open(60_000), tabs.open(60_000)])
    const opened = new CountdownLatch(pages[0] as never, 'l', 4).wait()
    tabs.fate = lossy(tabs, 0.1)
    let open = false
    void opened.then(() => {
      open = true
    })
    const latch = new CountdownLatch(pages[1] as never, 'l', 4)
    for (let i = 0; i < 3; i++) await tabs.until(latch.countDown(), 600_000)
    await tabs.pass(500)
    expect(open).toBe(false)
    await tabs.until(latch.countDown(), 600_000)
    tabs.fate = () => 'passes'
    await tabs.until(opened)
    expect(await tabs.until(latch.remaining())).toBe(0)
    expect(await tabs.until(codeOf(new CountdownLatch(pages[0] as never, 'm', 1).wait({ timeout: 100 })))).toBe(
      'Timeout',
    )
  })
})

describe('a lease', () => {
  test('ends by time, survives its page, and is one holder’s at a time', async () => {
    const [a, b] = [await tabs.open(4000), await tabs.open(60_000)]
    const mine = await tabs.until(new Leases(a).obtain('printer', 5000, { holder: 'a' }))
    expect(mine).not.toBeNull()
    const others = new Leases(b)
    expect(await tabs.until(others.obtain('printer', 5000))).toBeNull()
    await tabs.until(a.client.close())
    await tabs.pass(3000)
    expect(await tabs.until(others.obtain('printer', 5000))).toBeNull()
    const again = await tabs.until(others.obtain('printer', 5000, { holder: 'a' }))
    expect(again?.until).toBeGreaterThan(mine?.until ?? 0)
    await tabs.pass(5100)
    const theirs = await tabs.until(others.obtain('printer', 5000))
    expect(theirs?.holder).not.toBe('a')
    expect(await tabs.until(codeOf(b.client.multi([again?.guard() as never])))).toBe('BadVersion')
    await tabs.until(theirs?.release() ?? Promise.reject())
    expect(await tabs.until(others.obtain('printer', 5000))).not.toBeNull()
  })
})
