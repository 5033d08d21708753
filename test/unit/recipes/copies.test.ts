import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Cache, type CacheEvent } from '../../../src/recipes/cache.ts'
import { keepPresent } from '../../../src/recipes/presence.ts'
import { Services } from '../../../src/recipes/services.ts'
import { codeOf } from './lossy.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(9)
})
afterEach(() => tabs.close())

const text = (data: Uint8Array | null | undefined): string => new TextDecoder().decode(data ?? undefined)

describe('a cache', () => {
  test('has the subtree and follows it: creation, change, deletion, and a node made anew with the same version', async () => {
    const [a, b] = (await Promise.all([tabs.open(), tabs.open()])) as [Tab, Tab]
    await tabs.until(b.client.create('/m', 'top'))
    await tabs.until(b.client.create('/m/x', '1'))
    const cache = await tabs.until(new Cache(a, '/m').ready())
    expect([...cache.nodes.keys()].sort()).toEqual(['/m', '/m/x'])
    const events: CacheEvent[] = []
    const reading = (async () => {
      for await (const event of cache.events()) events.push(event)
    })()
    await tabs.until(b.client.create('/m/x/deep', '2'))
    await tabs.until(b.client.setData('/m', 'new'))
    await tabs.pass(50)
    await tabs.until(
      b.client.multi([
        { op: 'delete', path: '/m/x/deep' },
        { op: 'create', path: '/m/x/deep', data: '3' },
      ]),
    )
    await tabs.pass(50)
    await tabs.until(b.client.delete('/m/x/deep'))
    await tabs.pass(50)
    expect([...cache.nodes].map(([path, node]) => [path, text(node.data)]).sort()).toEqual([
      ['/m', 'new'],
      ['/m/x', '1'],
    ])
    expect(cache.stale).toBe(false)
    await tabs.until(cache.close())
    await tabs.until(reading)
    const told = events.map((event) =>
      event.type === 'put' ? `${event.node.path}=${text(event.node.data)}` : event.type,
    )
    expect(told).toEqual(
      ['/m=new', '/m/x=1', 'ready', '/m/x/deep=2', '/m=new', '/m/x/deep=3', 'delete'].with(0, '/m=top'),
    )
  })

  test('comes back whole after a broken connection, with all that happened meanwhile', async () => {
    const [a, b] = (await Promise.all([tabs.open(60_000), tabs.open()])) as [Tab, Tab]
    for (const name of ['/m', '/m/x', '/m/y']) await tabs.until(b.client.create(name, '1'))
    const cache = await tabs.until(new Cache(a, '/m').ready())
    const types: string[] = []
    const reading = (async () => {
      for await (const { type } of cache.events()) types.push(type)
    })()
    a.freeze()
    a.cut()
    await tabs.until(b.client.delete('/m/x'))
    await tabs.until(b.client.setData('/m/y', '2'))
    await tabs.until(b.client.create('/m/z', '3'))
    a.thaw()
    const nodes = await tabs.until(cache.until((all) => all.has('/m/z')))
    await tabs.pass(500)
    expect([...nodes].map(([path, node]) => [path, text(node.data)]).sort()).toEqual([
      ['/m', '1'],
      ['/m/y', '2'],
      ['/m/z', '3'],
    ])
    expect(cache.stale).toBe(false)
    await tabs.until(cache.close())
    await tabs.until(reading)
    expect(types.slice(0, 4)).toEqual(['put', 'put', 'put', 'ready'])
    expect(types.indexOf('stale')).toBeGreaterThan(3)
    expect(types.at(-1)).toBe('ready')
    expect(types).not.toContain('resync')
  })

  test('tells a reader that is too slow what it missed, by one event', async () => {
    const [a, b] = (await Promise.all([tabs.open(), tabs.open()])) as [Tab, Tab]
    await tabs.until(b.client.create('/m'))
    const cache = await tabs.until(new Cache(a, '/m').ready())
    const events = cache.events({ buffer: 3 })
    for (let i = 0; i < 10; i++) {
      await tabs.until(b.client.setData('/m', String(i)))
      await tabs.pass(50)
    }
    const seen: string[] = []
    await tabs.until(cache.close())
    for await (const { type } of events) seen.push(type)
    expect(seen).toContain('resync')
    expect(seen.length).toBeLessThan(8)
    expect(await tabs.until(codeOf(new Cache(a, '/none').until(() => false, { timeout: 300 })))).toBe('Timeout')
  })
})

describe('a presence', () => {
  test('is made anew when somebody deletes it, and never written into another session’s node', async () => {
    const [a, b] = (await Promise.all([tabs.open(4000), tabs.open(60_000)])) as [Tab, Tab]
    const first = await tabs.until(keepPresent(a, '/here/me', 'a'))
    await tabs.until(b.client.delete('/here/me'))
    await tabs.pass(200)
    expect(text((await tabs.until(b.client.getData('/here/me'))).data)).toBe('a')
    await tabs.until(first.update('a2'))
    let there = false
    const second = keepPresent(b, '/here/me', 'b').then((presence) => {
      there = true
      return presence
    })
    await tabs.pass(500)
    expect(there).toBe(false)
    expect(text((await tabs.until(b.client.getData('/here/me'))).data)).toBe('a2')
    a.freeze()
    const mine = await tabs.until(second)
    expect((await tabs.until(b.client.getData('/here/me'))).stat.ephemeralOwner).toBe(b.client.sessionId)
    await tabs.until(mine.close())
    await tabs.until(mine.close())
    expect(await tabs.until(b.client.exists('/here/me'))).toBeNull()
  })
})

describe('services', () => {
  test('are found while they are offered; a provider goes round, and passes over who fails', async () => {
    const [a, b, c] = (await Promise.all([tabs.open(4000), tabs.open(60_000), tabs.open(60_000)])) as [Tab, Tab, Tab]
    await tabs.until(new Services(a).offer('render', { gpu: true }, { id: 'a' }))
    await tabs.until(new Services(b).offer('render', { gpu: false }, { id: 'b' }))
    const services = new Services(c)
    expect(await tabs.until(services.instances('render'))).toMatchObject([
      { id: 'a', payload: { gpu: true } },
      { id: 'b', payload: { gpu: false } },
    ])
    const provider = await tabs.until(services.provider('render'))
    const picked = [0, 1, 2, 3].map(() => provider.pick()?.id)
    expect(new Set(picked)).toEqual(new Set(['a', 'b']))
    expect(picked.slice(0, 2)).toEqual(picked.slice(2))
    const bad = { id: 'b', payload: null, since: 0 }
    provider.failed(bad)
    provider.failed(bad)
    expect([0, 1, 2].map(() => provider.pick()?.id)).toEqual(['a', 'a', 'a'])
    await tabs.pass(30_000)
    a.freeze()
    await tabs.pass(8000)
    expect([0, 1].map(() => provider.pick()?.id)).toEqual(['b', 'b'])
    const sticky = await tabs.until(services.provider('render', { strategy: 'sticky' }))
    expect(sticky.pick()?.id).toBe('b')
    expect(await tabs.until(codeOf(services.provider('render', { strategy: 'best' as never })))).toBe('BadArguments')
    await tabs.until(Promise.all([provider.close(), sticky.close()]))
  })
})
