import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Barrier, DoubleBarrier } from '../../../src/recipes/barrier.ts'
import { Semaphore } from '../../../src/recipes/semaphore.ts'
import { codeOf, lossy } from './lossy.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(5)
})
afterEach(() => tabs.close())

const pages = (count: number, timeout = 10_000): Promise<Tab[]> =>
  Promise.all(Array.from({ length: count }, () => tabs.open(timeout)))

describe('a barrier', () => {
  test('lets go those who wait for it even if it is closed again at once', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const barrier = new Barrier(a, 'start')
    await tabs.until(barrier.wait())
    await tabs.until(barrier.close())
    await tabs.until(barrier.close())
    const waiting = new Barrier(b, 'start').wait()
    await tabs.pass(100)
    b.cut()
    await tabs.until(barrier.open())
    await tabs.until(barrier.close())
    await tabs.until(waiting)
    expect(await tabs.until(codeOf(new Barrier(b, 'start').wait({ timeout: 200 })))).toBe('Timeout')
  })
})

describe('a double barrier', () => {
  test('begins with the last to enter, ends with the last to leave, and then again', async () => {
    const all = await pages(3)
    for (const round of [1, 2]) {
      let inside = 0
      const entering = all.map((page) =>
        new DoubleBarrier(page, 'game', 3).enter().then((attendance) => {
          inside++
          return attendance
        }),
      )
      const attendances = await tabs.until(Promise.all(entering))
      expect(inside).toBe(3)
      expect(new Set(attendances.map((one) => one.round))).toEqual(new Set([round]))
      let left = 0
      const leaving = attendances.map((one) => one.leave().then(() => left++))
      await tabs.until(Promise.all(leaving))
      expect(left).toBe(3)
    }
  })

  test('holds those who leave early until the others have left or are gone', async () => {
    const all = await pages(3, 4000)
    const attendances = await tabs.until(Promise.all(all.map((page) => new DoubleBarrier(page, 'game', 3).enter())))
    let left = 0
    const early = [0, 1].map((i) => attendances[i]?.leave().then(() => left++))
    await tabs.pass(1000)
    expect(left).toBe(0)
    all[2]?.freeze()
    await tabs.until(Promise.all(early))
    expect(left).toBe(2)
  })

  test('does not begin by a reconnect, nor count a member that gave up', async () => {
    const [a, b, c] = (await pages(3)) as [Tab, Tab, Tab]
    const first = new DoubleBarrier(a, 'game', 2).enter({ timeout: 500 })
    await tabs.pass(100)
    a.cut()
    expect(await tabs.until(codeOf(first))).toBe('Timeout')
    let begun = 0
    const later = [b, c].map((page) => new DoubleBarrier(page, 'game', 2).enter().then(() => begun++))
    await tabs.until(Promise.all(later))
    expect(begun).toBe(2)
  })
})

describe('a semaphore', () => {
  test('never gives more than there are, in the order of asking, although replies are lost', async () => {
    const all = await pages(4, 60_000)
    tabs.fate = lossy(tabs, 0.05)
    let used = 0
    let most = 0
    const work = all.flatMap((page) =>
      [1, 2, 1].map(async (permits) => {
        const semaphore = new Semaphore(page, 'pool', 3)
        for (;;) {
          try {
            return await semaphore.request({ permits, lossPolicy: 'lost' }, async () => {
              used += permits
              most = Math.max(most, used)
              await new Promise<void>((resolve) => page.clock.after(200, resolve))
              used -= permits
            })
          } catch (error) {
            if ((error as { code?: string }).code !== 'ConnectionLoss') throw error
          }
        }
      }),
    )
    await tabs.until(Promise.all(work), 900_000)
    tabs.fate = () => 'passes'
    expect(most).toBeLessThanOrEqual(3)
    expect(most).toBeGreaterThan(1)
    await tabs.pass(1000)
    expect(await tabs.until(new Semaphore(all[0] as Tab, 'pool', 3).used())).toBe(0)
  })

  test('is not passed by a small request while a large one waits; gives back what a dead page held', async () => {
    const [a, b, c] = (await pages(3, 4000)) as [Tab, Tab, Tab]
    await tabs.until(new Semaphore(a, 'pool', 2).acquire())
    const order: string[] = []
    const large = new Semaphore(b, 'pool', 2).acquire({ permits: 2 }).then((hold) => {
      order.push('large')
      return hold
    })
    await tabs.pass(50)
    const small = new Semaphore(c, 'pool', 2).acquire().then(() => order.push('small'))
    expect(await tabs.until(new Semaphore(c, 'pool', 2).request({ ifAvailable: true }, (hold) => hold))).toBeNull()
    await tabs.pass(500)
    expect(order).toEqual([])
    a.freeze()
    await tabs.until((await tabs.until(large)).release())
    await tabs.until(small)
    expect(order).toEqual(['large', 'small'])
  })

  test('refuses pages that disagree about its size, and impossible requests', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const hold = await tabs.until(new Semaphore(a, 'pool', 2).acquire())
    expect(await tabs.until(codeOf(new Semaphore(b, 'pool', 3).acquire()))).toBe('BadArguments')
    expect(await tabs.until(codeOf(new Semaphore(b, 'pool', 2).acquire({ permits: 3 })))).toBe('BadArguments')
    await tabs.until(hold.release())
    await tabs.until(new Semaphore(b, 'pool', 3).acquire({ permits: 3 }))
  })
})
