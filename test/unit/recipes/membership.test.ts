import { afterEach, beforeEach, expect, test } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { Group } from '../../../src/recipes/membership.ts'
import { Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs()
})
afterEach(() => tabs.close())

test('members come, change, leave, or go with their session; a watcher sees whole sets', async () => {
  const [a, b, c] = [await tabs.open(), await tabs.open(4000), await tabs.open()]
  const [one, two, watcher] = [new Group(a, 'room/1'), new Group(b, 'room/1'), new Group(c, 'room/1')]
  const seen: string[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const members of watcher.watch({ signal: stop.signal })) seen.push(members.map(({ id }) => id).join())
  })()
  await tabs.pass(50)
  const membership = await tabs.until(one.join('hello', { id: 'a' }))
  await tabs.until(two.join(null, { id: 'b' }))
  await tabs.pass(100)
  await tabs.until(membership.update('again'))
  expect(await tabs.until(watcher.members())).toMatchObject([
    { id: 'a', data: utf8('again'), session: a.client.sessionId },
    { id: 'b', data: null, session: b.client.sessionId },
  ])
  await expect(tabs.until(watcher.join(null, { id: 'a' }))).rejects.toMatchObject({ code: 'NodeExists' })
  b.freeze()
  await tabs.pass(8000)
  await tabs.until(membership.leave())
  await tabs.pass(100)
  stop.abort()
  await tabs.until(watching)
  expect(seen.at(0)).toBe('')
  expect(seen).toContain('a,b')
  expect(seen.slice(-2)).toEqual(['a', ''])
})

test('a lost reply to a join is no second member', async () => {
  const a = await tabs.open()
  const group = new Group(a, 'g')
  await tabs.until(group.join())
  let frames = 0
  tabs.fate = () => (++frames === 1 ? 'cut after' : 'passes')
  await tabs.until(group.join(null, { id: 'me' }))
  expect(await tabs.until(group.members())).toHaveLength(2)
})
