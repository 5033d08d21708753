import { afterEach, beforeEach, expect, test } from 'vitest'
import { Election, type Leader, type Leadership } from '../../../src/recipes/election.ts'
import { Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs()
})
afterEach(() => tabs.close())

/** Leads until told to end. */
const candidate = async (id: string, sessionTimeout = 10_000) => {
  const tab = await tabs.open(sessionTimeout)
  const election = new Election(tab, 'sync', id)
  const terms: Leadership[] = []
  const stand = (options = {}) =>
    election.lead((leadership) => {
      terms.push(leadership)
      return new Promise<string>((resolve) => leadership.signal.addEventListener('abort', () => resolve(id)))
    }, options)
  return { tab, election, terms, stand }
}

test('one leads at a time; who resigns, or loses its session, is followed by the next, with a higher epoch', async () => {
  const a = await candidate('a')
  const b = await candidate('b', 4000)
  const c = await candidate('c')
  const ended = a.stand()
  await tabs.pass(50)
  b.stand().catch(() => {})
  await tabs.pass(50)
  c.stand().catch(() => {})
  await tabs.pass(50)
  expect([a.terms.length, b.terms.length, c.terms.length]).toEqual([1, 0, 0])
  expect(await tabs.until(c.election.leader())).toMatchObject({ id: 'a' })
  await tabs.until((a.terms[0] as Leadership).resign())
  expect(await tabs.until(ended)).toBe('a')
  await tabs.pass(50)
  expect([b.terms.length, c.terms.length]).toEqual([1, 0])
  b.tab.freeze()
  await tabs.pass(8000)
  expect(c.terms.length).toBe(1)
  const epochs = [a, b, c].map(({ terms }) => (terms[0] as Leadership).epoch)
  expect(epochs).toEqual([...epochs].sort((x, y) => x - y))
  const late = b.tab.client.sessionId
  expect(late).not.toBe(0n)
  await expect(tabs.until(c.tab.client.multi([(b.terms[0] as Leadership).guard()]))).rejects.toMatchObject({
    code: 'NoNode',
  })
  await tabs.until(c.tab.client.multi([(c.terms[0] as Leadership).guard()]))
})

test('with rejoin a candidate stands again after a lost term, until its signal aborts', async () => {
  const a = await candidate('a')
  const stop = new AbortController()
  const over = a.stand({ rejoin: true, signal: stop.signal })
  await tabs.pass(50)
  a.tab.cut()
  await tabs.pass(3000)
  expect(a.terms.length).toBe(2)
  stop.abort()
  expect(await tabs.until(over)).toBe('a')
  expect(await tabs.until(a.election.leader())).toBeNull()
})

test('observers see who leads, and that nobody does', async () => {
  const a = await candidate('a')
  const watcher = await candidate('w')
  const seen: (string | null)[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const leader of watcher.election.observe({ signal: stop.signal }))
      seen.push((leader as Leader | null)?.id ?? null)
  })()
  await tabs.pass(50)
  a.stand().catch(() => {})
  await tabs.pass(100)
  await tabs.until((a.terms[0] as Leadership).resign())
  await tabs.pass(100)
  a.stand().catch(() => {})
  await tabs.pass(100)
  stop.abort()
  await tabs.until(watching)
  expect(seen).toEqual([null, 'a', null, 'a'])
})

test('what the leading function throws is thrown, and the lead is given up', async () => {
  const a = await candidate('a')
  const failed = a.election.lead(() => {
    throw new RangeError('no')
  })
  await expect(tabs.until(failed)).rejects.toThrow(RangeError)
  await tabs.pass(50)
  expect(await tabs.until(a.election.leader())).toBeNull()
})
