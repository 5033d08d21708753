import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Cell } from '../../../src/recipes/cell.ts'
import { Counter } from '../../../src/recipes/counter.ts'
import { Election } from '../../../src/recipes/election.ts'
import type { Hold } from '../../../src/recipes/hold.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { Group } from '../../../src/recipes/membership.ts'
import { ownerOf, Partition, type Share } from '../../../src/recipes/partition.ts'
import { PlainQueue } from '../../../src/recipes/plain-queue.ts'
import { keepPresent } from '../../../src/recipes/presence.ts'
import { codeOf } from './lossy.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(31)
})
afterEach(() => tabs.close())

const pages = (count: number): Promise<Tab[]> => Promise.all(Array.from({ length: count }, () => tabs.open(60_000)))
const text = (data: Uint8Array | null | undefined): string => new TextDecoder().decode(data ?? undefined)
const never = (): Promise<void> => new Promise(() => {})
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** Whose guard still passes. */
const unrefused = async (page: Tab, holds: readonly (Hold | undefined)[]): Promise<number> => {
  const codes = await Promise.all(holds.map((hold) => codeOf(page.client.multi([hold?.guard() as never]))))
  return codes.filter((code) => code === 'resolved').length
}

describe('a lock that is stolen while others come', () => {
  for (const mode of ['exclusive', 'shared', 'steal'] as const) {
    test(`leaves one holder beside ${mode} ones`, async () => {
      const [a, b, c] = (await pages(3)) as [Tab, Tab, Tab]
      for (let lag = 0; lag < 8; lag++) {
        const name = `doc ${lag}`
        const given: Hold[] = []
        const ask = (page: Tab, options: object): void => {
          new Locks(page)
            .request(name, options, async (hold) => {
              given.push(hold)
              await never()
            })
            .catch(() => {})
        }
        if (mode === 'shared') ask(a, { mode: 'shared' })
        await tabs.pass(50)
        ask(b, { steal: true })
        for (let i = 0; i < lag; i++) await Promise.resolve()
        ask(c, mode === 'steal' ? { steal: true } : { mode })
        await tabs.pass(500)
        expect(await tabs.until(unrefused(a, given))).toBe(1)
        expect(given.filter(({ signal }) => !signal.aborted)).toHaveLength(1)
      }
    })
  }

  test('also where a shared one comes while it is under way', async () => {
    const [a, b, c] = (await pages(3)) as [Tab, Tab, Tab]
    tabs.step = 5
    for (let after = 0; after <= 160; after += 10) {
      const name = `doc ${after}`
      tabs.lag = () => 20
      const given: Hold[] = []
      const ask = (page: Tab, options: object): void => {
        const keep = async (hold: Hold): Promise<void> => {
          given.push(hold)
          await never()
        }
        new Locks(page).request(name, options, keep).catch(() => {})
      }
      ask(a, { mode: 'shared' })
      await tabs.pass(300)
      ask(b, { steal: true })
      await tabs.pass(after)
      ask(c, { mode: 'shared' })
      await tabs.pass(600)
      tabs.lag = () => 0
      expect(await tabs.until(unrefused(a, given))).toBe(1)
    }
  })
})

test('an emptied cell is watched without asking again and again', async () => {
  const [a, b] = (await pages(2)) as [Tab, Tab]
  const cell = new Cell<number>(b, 'c')
  await tabs.until(cell.set(1))
  await tabs.until(cell.delete())
  const stop = new AbortController()
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const now of new Cell<number>(a, 'c').watch({ signal: stop.signal })) seen.push(now?.value)
  })()
  await tabs.pass(200)
  let frames = 0
  tabs.fate = () => {
    frames++
    return 'passes'
  }
  await tabs.pass(2000)
  expect(frames).toBeLessThan(20)
  await tabs.until(cell.set(2))
  await tabs.pass(100)
  expect(seen).toEqual([undefined, 2])
  stop.abort()
  await tabs.until(reading)
})

test('work on an item may give nothing', async () => {
  const [a] = (await pages(1)) as [Tab]
  const queue = new PlainQueue(a, 'q')
  await tabs.until(queue.put('x'))
  expect(await tabs.until(queue.process(() => null))).toBeNull()
})

describe('marks', () => {
  test('are as many as are in use at once, however many objects a page makes', async () => {
    const [a] = (await pages(1)) as [Tab]
    for (let i = 0; i < 20; i++) await tabs.until(new Counter(a, 'n').add(1))
    expect(await tabs.until(a.client.getEphemerals('/tk/marks'))).toHaveLength(1)
    expect(await tabs.until(new Counter(a, 'n').get())).toBe(20)
  })

  test('are made anew where somebody has removed them', async () => {
    const [a] = (await pages(1)) as [Tab]
    const counter = new Counter(a, 'n')
    await tabs.until(counter.add(1))
    for (const path of await tabs.until(a.client.getEphemerals('/tk/marks'))) await tabs.until(a.client.delete(path))
    expect(await tabs.until(counter.add(1, { timeout: 3000 }))).toBe(2)
  })
})

describe('a node whose name others may use', () => {
  test('is not taken from the one who made it after ours was removed: a member leaves, a presence is written and closed', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const mine = await tabs.until(new Group(a, 'g').join(null, { id: 'x' }))
    await tabs.until(b.client.delete('/tk/groups/g/x'))
    await tabs.until(new Group(b, 'g').join('theirs', { id: 'x' }))
    expect(await tabs.until(codeOf(mine.update('mine')))).toBe('NoNode')
    await tabs.until(mine.leave())
    expect((await tabs.until(new Group(b, 'g').members())).map(({ data }) => text(data))).toEqual(['theirs'])

    const presence = await tabs.until(keepPresent(a, '/p', 'mine'))
    await tabs.until(
      b.client.multi([
        { op: 'delete', path: '/p' },
        { op: 'create', path: '/p', data: 'theirs', mode: 'ephemeral' },
      ]),
    )
    await tabs.pass(100)
    await tabs.until(presence.update('mine again'))
    await tabs.until(presence.close())
    expect(text((await tabs.until(b.client.getData('/p'))).data)).toBe('theirs')
  })
})

describe('an election', () => {
  test('does not begin a term that has ended already: a broken connection takes nothing that was not given', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    for (let at = 1; at <= 6; at++) {
      let frames = 0
      tabs.fate = () => (++frames === at ? 'cut after' : 'passes')
      const stop = new AbortController()
      const began: boolean[] = []
      const term = new Election(a, `e${at}`, 'a').lead(
        async ({ signal }) => {
          began.push(signal.aborted)
          await untilAborted(signal)
        },
        { signal: stop.signal },
      )
      term.catch(() => {})
      await tabs.pass(4000)
      expect(began.includes(true)).toBe(false)
      stop.abort()
      await tabs.pass(200)
      expect(
        await tabs.until(
          new Election(b, `e${at}`, 'b').lead(() => 'leads', {}),
          5000,
        ),
      ).toBe('leads')
    }
  })

  test('does not begin a term after its signal', async () => {
    const [a] = (await pages(1)) as [Tab]
    tabs.lag = () => 20
    tabs.step = 10
    for (let after = 0; after <= 200; after += 10) {
      const stop = new AbortController()
      let led = false
      const over = new Election(a, `e${after}`, 'a').lead(
        ({ signal }) => {
          led = stop.signal.aborted
          return untilAborted(signal)
        },
        { signal: stop.signal },
      )
      over.catch(() => {})
      await tabs.pass(after, 10)
      stop.abort()
      await tabs.until(codeOf(over), 2000)
      expect(led).toBe(false)
    }
  })
})

describe('a partition', () => {
  /** Works until told to end, and `late` milliseconds more. */
  const member = (page: Tab, id: string, log: string[], late = 0) => {
    const stop = new AbortController()
    const shares = new Map<string, Share>()
    const run = new Partition(page, 'p', ['only']).run(
      async (share) => {
        log.push(`${id} begins`)
        shares.set(share.item, share)
        await untilAborted(share.signal)
        if (late > 0) await new Promise<void>((resolve) => page.clock.after(late, resolve))
        log.push(`${id} ends`)
      },
      { id, signal: stop.signal },
    )
    return { run, stop, shares }
  }

  test('goes on with an item whose lock was lost, or taken away', async () => {
    const [a, b] = (await pages(2)) as [Tab, Tab]
    const log: string[] = []
    const one = member(a, 'a', log)
    await tabs.pass(200)
    a.cut()
    await tabs.pass(3000)
    expect(log).toEqual(['a begins', 'a ends', 'a begins'])
    await tabs.until(new Locks(b).revoke('p/only'))
    await tabs.pass(500)
    expect(log.slice(3)).toEqual(['a ends', 'a begins'])
    one.stop.abort()
    await tabs.until(one.run)
  })

  test('lets an item go for which it still waited', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `page ${i}`)
    const low = ids.find((id) => ids.every((other) => other === id || ownerOf('only', [id, other]) === other)) as string
    const high = ownerOf('only', ids) as string
    const middle = ids.find((id) => id !== low && id !== high) as string
    const [a, b, c] = (await pages(3)) as [Tab, Tab, Tab]
    const log: string[] = []
    const first = member(a, low, log, 2000)
    await tabs.pass(200)
    const second = member(b, middle, log)
    const ended = codeOf(second.run)
    await tabs.pass(200)
    const third = member(c, high, log)
    await tabs.pass(4000)
    expect(log).toEqual([`${low} begins`, `${low} ends`, `${high} begins`])
    for (const one of [first, second, third]) one.stop.abort()
    expect(await tabs.until(ended)).toBe('resolved')
    await tabs.until(Promise.all([first.run, third.run]))
  })
})
