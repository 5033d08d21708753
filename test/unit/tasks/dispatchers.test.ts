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

describe('dispatchers', () => {
  test('take over from one that froze; a stale one is fenced', async () => {
    const first = await tabs.dispatch()
    const second = await tabs.dispatch()
    const { queue } = await tabs.office()
    await tabs.until(queue.worker({ double: (n) => n * 2 }))
    const one = await tabs.until(queue.add('double', 1))
    expect(await tabs.until(one.result())).toBe(2)
    first.tab.freeze()
    const two = await tabs.until(queue.add('double', 2))
    expect(await tabs.until(two.result())).toBe(4)
    await tabs.until(second.dispatcher.stop())
  })

  test('one of the leader deposes another at once; the deposed one waits for its turn', async () => {
    const page = await tabs.dispatch()
    const { tab, queue } = await tabs.office()
    await tabs.until(queue.worker({ double: (n) => n * 2 }))
    expect(await tabs.until((await tabs.until(queue.add('double', 1))).result())).toBe(2)
    const leader = await tabs.dispatch({ depose: true })
    await tabs.pass(200)
    const owner = async () => (await tabs.until(tab.client.exists('/tk/q/q/lead')))?.ephemeralOwner
    expect(await owner()).toBe(leader.tab.client.sessionId)
    expect(await tabs.until((await tabs.until(queue.add('double', 3))).result())).toBe(6)
    await tabs.until(leader.dispatcher.stop())
    await tabs.pass(200)
    expect(await owner()).toBe(page.tab.client.sessionId)
    expect(await tabs.until((await tabs.until(queue.add('double', 4))).result())).toBe(8)
  })

  test('that lost the reply of its election finds in ctl that it leads', async () => {
    tabs.plain = true
    let elections = 0
    tabs.fate = (frame) => {
      const text = new TextDecoder('latin1').decode(frame)
      return text.includes('/q/lead') && text.includes('/q/ctl') && elections++ === 0 ? 'cut after' : 'passes'
    }
    const { tab } = await tabs.dispatch()
    const { queue } = await tabs.office()
    await tabs.until(queue.worker({ double: (n) => n * 2 }))
    expect(await tabs.until((await tabs.until(queue.add('double', 1))).result())).toBe(2)
    expect(elections).toBe(1)
    const lead = await tabs.until(tab.client.exists('/tk/q/q/lead'))
    expect(lead?.ephemeralOwner).toBe(tab.client.sessionId)
  })
})

test('2,000 tasks over 4 workers', async () => {
  await tabs.dispatch()
  const { queue } = await tabs.office()
  const runs = [0, 0, 0, 0]
  for (let i = 0; i < 4; i++) {
    const { queue: there } = await tabs.office()
    await tabs.until(
      there.worker(
        {
          double: (n) => {
            runs[i] = (runs[i] as number) + 1
            return n * 2
          },
        },
        { slots: 16 },
      ),
    )
  }
  const tasks = await tabs.until(
    queue.addAll(Array.from({ length: 2000 }, (_, n) => ({ name: 'double' as const, input: n }))),
  )
  const results = await tabs.until(Promise.all(tasks.map((task) => task.result())))
  expect(results).toEqual(Array.from({ length: 2000 }, (_, n) => n * 2))
  expect(runs.reduce((a, b) => a + b)).toBe(2000)
  for (const count of runs) expect(count).toBeGreaterThan(300)
})
