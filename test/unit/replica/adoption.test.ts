import { expect, test } from 'vitest'
import type { ReplicaId } from '../../../src/base/ids.ts'
import { TIMES } from '../../../src/base/limits.ts'
import { die, LastTab } from './one-browser.ts'
import { link, linkAll, Tab } from './tabs.ts'
import { during, VirtualTime } from './virtual-time.ts'

async function allVoters(time: VirtualTime, count: 3 | 5): Promise<Tab[]> {
  const tabs = Array.from({ length: count }, (_, i) => new Tab(time, i + 1, { voters: count }))
  await linkAll(tabs)
  const voters = async () => (await tabs[0]?.replica.inspect())?.voters.length
  for (let left = 100; (await voters()) !== count; left--) {
    if (left === 0) throw new Error('nobody was voted in')
    await time.advance(100)
  }
  return tabs
}

/** Three voters; `/both` is on all logs, `/late` on those of 1 and 2 alone. Then all three die. */
async function threeDead() {
  const time = new VirtualTime()
  const tabs = (await allVoters(time, 3)) as [Tab, Tab, Tab]
  const client = tabs[0].client()
  await during(time, client.create('/both', 'x'))
  await time.advance(300)
  const [, , third] = tabs
  die(third)
  await during(time, client.create('/late', 'y'))
  die(...tabs)
  return { time, tabs, disks: tabs.map(({ disk }) => disk) }
}

/** Five voters die; the tab that comes back can take up no other vote than that of 2. */
async function threeFrozenOfFive() {
  const time = new VirtualTime()
  const tabs = await allVoters(time, 5)
  die(...tabs)
  const disks = tabs.map(({ disk }) => disk)
  const last = new LastTab(time, 3, disks)
  last.frozen.add(1).add(4).add(5)
  return { time, tabs, last }
}

test('one tab comes back alone: it runs the votes of the dead with their logs, and has every acknowledged write', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  await time.advance(TIMES.adoptAfter - 100)
  expect(last.story).toEqual([])
  await time.until(() => last.adopted.size === 2)
  const client = last.client()
  await during(time, client.create('/after'))
  const { children } = await during(time, client.getChildren('/'))
  expect([...children].sort()).toEqual(['after', 'both', 'late', 'zookeeper'])
  // An adopted one may have been elected, for its log; it gives the lead away.
  await time.until(() => last.replica.peer.role.kind === 'leading')
})

test('who was adopted is voted out, and let go only when the ensemble has stood without it for a while', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  await time.until(() => last.adopted.size === 2)
  let stoodSince: number | null = null
  for (let left = 400; last.told('1 released') + last.told('2 released') < 2; left--) {
    if (left === 0) throw new Error('they were not let go')
    const { voters, joint, serving } = await last.replica.inspect()
    const stands = voters.length === 1 && !joint && serving
    if (!stands) {
      stoodSince = null
      expect(last.story.filter((one) => one.endsWith('released'))).toEqual([])
    } else stoodSince ??= time.now()
    await time.advance(50)
  }
  expect(time.now() - (stoodSince ?? Number.NaN)).toBeGreaterThanOrEqual(1000)
  expect((await last.replica.inspect()).voters).toEqual([3])
  for (const replica of last.adopted.values()) expect((await replica.inspect()).role).toBe('stopped')
  await during(time, last.client().create('/alone'))
  // They are not needed any more.
  await time.advance(10_000)
  expect([last.told('1'), last.told('2')]).toEqual([1, 1])
})

test('a vote whose tab is frozen is left alone, and taken up when that has died, too', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  last.frozen.add(1).add(2)
  await time.advance(10_000)
  expect(last.adopted.size).toBe(0)
  expect((await last.replica.inspect()).serving).toBe(false)
  expect(last.told('1 held')).toBeGreaterThan(2)
  last.frozen.delete(2)
  await time.until(() => last.adopted.has(2))
  await during(time, last.client().create('/after'))
  expect(last.adopted.has(1)).toBe(false)
})

test('a log that cannot be read is asked for once, and keeps no other from being taken up', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  last.unreadable.add(1)
  last.frozen.add(2)
  await time.advance(10_000)
  last.frozen.clear()
  await time.until(() => last.adopted.has(2))
  await during(time, last.client().create('/after'))
  expect(last.told('1')).toBe(1)
})

test('nobody is taken up twice while a claim takes long, and what a claim gives to one that has closed is given back', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  let go = (): void => {}
  last.hurdle = new Promise((resolve) => {
    go = resolve
  })
  await time.advance(10_000)
  expect(last.story).toEqual(['1'])
  const closed = last.adoption.close()
  go()
  await time.advance(5000)
  await closed
  expect(last.story).toEqual(['1', '1 taken', '1 released'])
  expect(last.adopted.size).toBe(0)
})

test('while requests are served nobody is taken up, whoever is away', async () => {
  const { time, tabs, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  const second = tabs[1]
  second.reopen()
  await link(last, second)
  await during(time, last.client().create('/after'))
  await time.advance(10_000)
  expect((await last.replica.inspect()).serving).toBe(true)
  expect(last.story).toEqual([])
})

test('whoever has a link to us is alive: its vote is not taken up, though nothing can be served', async () => {
  const { time, last, tabs } = await threeFrozenOfFive()
  const second = tabs[1] as Tab
  second.reopen()
  await link(last, second)
  await time.advance(10_000)
  expect((await last.replica.inspect()).serving).toBe(false)
  expect(last.told('1 held')).toBeGreaterThan(2)
  expect(last.told('2')).toBe(0)
})

test('a vote is let go by what the ensemble says: served, whole, and without it', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  await time.until(() => last.adopted.size === 2)
  last.tells = false
  const [second, third] = [2 as ReplicaId, 3 as ReplicaId]
  const says = async (serving: boolean, joint: boolean, voters: readonly ReplicaId[], ms: number): Promise<void> => {
    last.adoption.changed({ serving, joint, voters })
    await time.advance(ms)
  }
  const released = () => last.story.filter((one) => one.endsWith('released'))
  await says(true, true, [third], 5000)
  await says(false, false, [third], 5000)
  expect(released()).toEqual([])
  // One look each: what stood before it fell does not count.
  await says(true, false, [third], 1000)
  await says(false, false, [third], 1000)
  await says(true, false, [third], 1000)
  expect(released()).toEqual([])
  await says(true, false, [second, third], 5000)
  expect(released()).toEqual(['1 released'])
  await says(true, false, [third], 5000)
  expect(released()).toEqual(['1 released', '2 released'])
})

test('who was taken up ends with the tab', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  await time.until(() => last.adopted.size === 2)
  await during(time, last.adoption.close())
  expect(last.story.filter((one) => one.endsWith('released')).sort()).toEqual(['1 released', '2 released'])
  for (const replica of last.adopted.values()) expect((await replica.inspect()).role).toBe('stopped')
})

test('an identity whose log fails is free again, and is taken up anew', async () => {
  const { time, disks } = await threeDead()
  const last = new LastTab(time, 3, disks)
  last.failing.add(1).add(2)
  await time.until(() => last.told('1 released') === 1 && last.told('2 released') === 1)
  expect((await last.replica.inspect()).serving).toBe(false)
  last.failing.clear()
  await during(time, last.client().create('/after'))
  expect(last.story.filter((one) => one.endsWith('taken')).length).toBeGreaterThan(2)
})

test('where too many are gone or frozen, one is taken up once, its link is made again when it breaks, and nothing is written', async () => {
  const { time, last, tabs } = await threeFrozenOfFive()
  await time.until(() => last.adopted.has(2))
  const peers = async () => (await last.replica.inspect()).links.map(({ peer }) => peer)
  await time.advance(1000)
  expect(await peers()).toEqual([2])
  last.replica.peerGone(2 as ReplicaId, 'it breaks')
  await time.advance(0)
  expect(await peers()).toEqual([])
  await time.advance(5000)
  expect(await peers()).toEqual([2])
  expect(last.told('2')).toBe(1)
  const { serving, zxid } = await last.replica.inspect()
  expect([serving, zxid.last]).toEqual([false, tabs[2]?.disk.last])
})
