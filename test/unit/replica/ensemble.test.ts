import { expect, test } from 'vitest'
import { link, linkAll, Tab } from './tabs.ts'
import { during, VirtualTime } from './virtual-time.ts'

async function ensemble(more: ConstructorParameters<typeof Tab>[2] = {}) {
  const time = new VirtualTime()
  const tabs = [1, 2, 3].map((id) => new Tab(time, id, more)) as [Tab, Tab, Tab]
  await linkAll(tabs)
  const voters = async () => (await tabs[0].replica.inspect()).voters.length
  for (let left = 100; (await voters()) < 3; left--) {
    if (left === 0) throw new Error('nobody was voted in')
    await time.advance(100)
  }
  await time.advance(300)
  return { time, tabs }
}

test('three tabs form an ensemble of three voters; a write through a follower is everywhere', async () => {
  const { time, tabs } = await ensemble()
  const states = await Promise.all(tabs.map((tab) => tab.replica.inspect()))
  expect(states.map(({ role }) => role)).toEqual(['leading', 'following', 'following'])
  expect(states.map(({ leader, joint, serving }) => [leader, joint, serving])).toEqual(Array(3).fill([1, false, true]))

  const [one, , three] = tabs.map((tab) => tab.client())
  if (one === undefined || three === undefined) throw new Error('no clients')
  const { path } = await during(time, three.create('/greeting', 'hello'))
  expect(path).toBe('/greeting')
  const { data } = await during(
    time,
    one.sync().then(() => one.getData('/greeting')),
  )
  expect(new TextDecoder().decode(data ?? undefined)).toBe('hello')

  await time.advance(300)
  const after = await Promise.all(tabs.map((tab) => tab.replica.inspect()))
  expect(new Set(after.map(({ server }) => server.digest)).size).toBe(1)
  expect(new Set(after.map(({ zxid }) => zxid.applied)).size).toBe(1)
  expect(tabs.map((tab) => tab.disk.last)).toEqual(after.map(({ zxid }) => zxid.last))
  expect(tabs.flatMap((tab) => tab.notices)).toEqual([])
})

test('a newcomer that needs a snapshot says how much of it has come', async () => {
  const { time, tabs } = await ensemble({ historyEntriesMax: 3 })
  expect(tabs.flatMap(({ progress }) => progress)).toEqual([])
  const client = tabs[0].client()
  for (let n = 0; n < 20; n++) await during(time, client.create(`/large-${n}`, new Uint8Array(100_000)))
  const late = new Tab(time, 4)
  for (const tab of tabs) await link(tab, late)
  await time.until(() => late.progress.at(-1)?.complete === true)
  const bytes = late.progress.map((one) => one.bytes)
  expect(bytes.at(-1)).toBeGreaterThan(2_000_000)
  expect(bytes).toEqual([...new Set(bytes)].sort((a, b) => a - b))
  expect(late.progress.filter(({ complete }) => complete)).toHaveLength(1)
  await time.advance(1000)
  expect((await late.replica.inspect()).serving).toBe(true)
})

test('the leader closes: it hands over, its successor has everything, and it can come back', async () => {
  const { time, tabs } = await ensemble()
  const [first, second, third] = tabs
  const client = second.client()
  await during(time, client.create('/a', 'x'))

  await during(time, first.replica.close())
  expect(first.ended).toBe(true)
  await time.until(() => [second, third].some((tab) => tab.replica.peer.role.kind === 'leading'))
  await during(time, client.setData('/a', 'y'))

  first.reopen()
  await link(first, second)
  await link(first, third)
  await time.until(
    () => first.replica.peer.role.kind === 'following' && first.replica.peer.delivered === first.disk.last,
  )
  await time.advance(500)
  const states = await Promise.all(tabs.map((tab) => tab.replica.inspect()))
  expect(new Set(states.map(({ server }) => server.digest)).size).toBe(1)
})

test('a log that was forgotten behind snapshots still makes a newcomer level', async () => {
  const { time, tabs } = await ensemble({ snapshotEvery: 5, historyEntriesMax: 3 })
  const client = tabs[0].client()
  for (let i = 0; i < 30; i++) await during(time, client.create(`/n${i}`, 'x'.repeat(i)))
  const fourth = new Tab(time, 4, { snapshotEvery: 5, historyEntriesMax: 3 })
  for (const tab of tabs) await link(tab, fourth)
  await time.advance(2000)
  const states = await Promise.all([...tabs, fourth].map((tab) => tab.replica.inspect()))
  expect(states[3]?.role).toBe('observing')
  expect(states[3]?.marks['snap-applied']).toBe(1)
  expect(new Set(states.map(({ server }) => server.digest)).size).toBe(1)
  expect(fourth.disk.base).toBeGreaterThan(0)
})

test('a replica whose log was claimed by another one ends, and says why', async () => {
  const { time, tabs } = await ensemble()
  const third = tabs[2]
  const ghost = third.replica
  third.reopen()
  const client = tabs[0].client()
  await during(time, client.create('/a', 'x'))
  await time.until(() => third.ended)
  expect((await ghost.inspect()).role).toBe('stopped')
  expect(third.notices.join()).toMatch(/StorageFailed.*claimed anew/)
})

test('nonsense from a peer closes that link, and the others go on', async () => {
  const { time, tabs } = await ensemble()
  const [first, second] = tabs
  // The first link of the second tab is the one to the leader.
  second.links[0]?.send(new Uint8Array([255, 255, 255, 255, 1]))
  await time.advance(300)
  expect(first.notices.join()).toMatch(/BadPeer/)
  const client = first.client()
  expect((await during(time, client.create('/still', 'here'))).path).toBe('/still')
})

test('without a quorum nothing is served', async () => {
  const { time, tabs } = await ensemble()
  const [first, second, third] = tabs
  await during(time, second.replica.close())
  await during(time, third.replica.close())
  await time.advance(500)
  const state = await first.replica.inspect()
  expect([state.role, state.serving]).toEqual(['looking', false])
})

test('the session of a page that asks for nothing lives as long as its replica, at the leader and elsewhere', async () => {
  const { time, tabs } = await ensemble()
  const [one, , three] = tabs
  const watcher = tabs[1].client()
  const idle = [one.client(), three.client()]
  for (const [i, client] of idle.entries()) await during(time, client.create(`/idle-${i}`, '', { mode: 'ephemeral' }))
  await time.advance(60_000)
  expect(idle.map(({ state }) => state)).toEqual(['connected', 'connected'])
  await during(time, watcher.sync())
  expect(await during(time, watcher.exists('/idle-1'))).not.toBeNull()
  // Nobody says goodbye for it: it ends by its timeout.
  await during(time, three.replica.close())
  await time.advance(15_000)
  expect(idle.map(({ state }) => state)).toEqual(['connected', 'lost'])
  await during(time, watcher.sync())
  expect(await during(time, watcher.exists('/idle-1'))).toBeNull()
})
