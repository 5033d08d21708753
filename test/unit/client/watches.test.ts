import { describe, expect, test } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { WatchEvent } from '../../../src/client/api.ts'
import { STAT, settled } from './scripted-server.ts'
import { connectedStage } from './stage.ts'

describe('one-shot watches', () => {
  test('count from the reply on, are called once, and before the reply that shows the change', async () => {
    const { client, server } = await connectedStage()
    const order: string[] = []
    const watch = ({ type, path }: WatchEvent): void => void order.push(`${type} ${path}`)
    const first = client.getData('/a', { watch })
    await settled()
    await server.last.event('NodeDataChanged', '/a')
    expect(order).toEqual([])
    await server.last.reply(1, 'getData', { data: null, stat: STAT })
    await first
    const second = client.getData('/a').then(() => order.push('reply'))
    await settled()
    await server.last.event('NodeDataChanged', '/a')
    await server.last.event('NodeDataChanged', '/a')
    await server.last.reply(2, 'getData', { data: null, stat: STAT })
    await second
    expect(order).toEqual(['NodeDataChanged /a', 'reply'])
  })

  test('of a failed read count only for exists', async () => {
    const { client, server } = await connectedStage()
    const seen: string[] = []
    client.getData('/a', { watch: () => seen.push('data') }).catch(() => undefined)
    client.exists('/a', { watch: () => seen.push('exists') }).catch(() => undefined)
    await settled()
    await server.last.refuse(1, ERROR_CODES.NoNode)
    await server.last.refuse(2, ERROR_CODES.NoNode)
    await server.last.event('NodeCreated', '/a', 12)
    expect(seen).toEqual(['exists'])
  })

  test('one function hears of one change once, and one that throws disturbs nobody', async () => {
    const errors: unknown[] = []
    const { client, server } = await connectedStage({ onError: (error) => errors.push(error) })
    const seen: WatchEvent[] = []
    const watch = (event: WatchEvent): void => {
      seen.push(event)
      throw new Error('mine')
    }
    void client.getData('/a', { watch })
    void client.getChildren('/a', { watch })
    void client.getChildren('/a', { watch: (event) => seen.push(event) })
    await settled()
    await server.last.reply(1, 'getData', { data: null, stat: STAT })
    await server.last.reply(2, 'getChildren2', { children: [], stat: STAT })
    await server.last.reply(3, 'getChildren2', { children: [], stat: STAT })
    await server.last.event('NodeDeleted', '/a', 44)
    expect(seen).toEqual([1, 2].map(() => ({ type: 'NodeDeleted', path: '/a', zxid: 44 })))
    expect(errors.length).toBe(1)
  })

  test('are armed again on the next connection, relative to the last zxid, in packets of bounded size', async () => {
    const { client, server, clock } = await connectedStage()
    const long = 'x'.repeat(20_000)
    for (let i = 0; i < 5; i++) void client.getData(`/${i}${long}`, { watch: () => undefined })
    void client.exists('/none', { watch: () => undefined })
    await settled()
    for (let i = 1; i <= 5; i++) await server.last.reply(i, 'getData', { data: null, stat: STAT }, 50)
    await server.last.refuse(6, ERROR_CODES.NoNode, 60)
    await server.last.cut()
    await clock.advance(100)
    await server.last.welcome()
    expect(server.last.kinds()).toEqual(['setWatches', 'setWatches', 'setWatches'])
    const sent = server.last.requests.map(({ xid, request }) => ({ xid, ...request })) as unknown as {
      xid: number
      relativeZxid: number
      dataWatches: string[]
      existWatches: string[]
    }[]
    expect(sent.map(({ xid, relativeZxid }) => [xid, relativeZxid])).toEqual([
      [-8, 60],
      [-8, 60],
      [-8, 60],
    ])
    expect(sent.flatMap(({ dataWatches }) => dataWatches).length).toBe(5)
    expect(sent.flatMap(({ existWatches }) => existWatches)).toEqual(['/none'])
    expect(Math.max(...server.last.frames.map((frame) => frame.length))).toBeLessThan(3 * 128 * 1024)
  })

  test('know their chroot', async () => {
    const { client, server } = await connectedStage({ chroot: '/app' })
    const seen: string[] = []
    void client.getChildren('/', { watch: ({ path }) => seen.push(path) })
    await settled()
    expect(server.last.requests[0]?.request).toMatchObject({ path: '/app', watch: true })
    await server.last.reply(1, 'getChildren2', { children: ['b', 'a'], stat: STAT })
    await server.last.event('NodeChildrenChanged', '/app')
    expect(seen).toEqual(['/'])
  })
})

describe('a stream of changes', () => {
  const begin = async (recursive = false) => {
    const staged = await connectedStage()
    const abort = new AbortController()
    const opening = staged.client.watch('/a', { recursive, signal: abort.signal })
    await settled()
    await staged.server.last.reply(1, 'addWatch', {})
    return { ...staged, stream: await opening, abort }
  }

  test('yields them in order, and the server is told when it ends', async () => {
    const { server, stream } = await begin(true)
    await server.last.event('NodeCreated', '/a/b/c', 5)
    await server.last.event('NodeDataChanged', '/a', 6)
    await server.last.event('NodeDataChanged', '/ab', 7)
    await server.last.event('NodeDeleted', '/a/b', 8)
    const seen: string[] = []
    for await (const { type, path, zxid } of stream) {
      seen.push(`${type} ${path} ${zxid}`)
      if (zxid === 8) break
    }
    expect(seen).toEqual(['NodeCreated /a/b/c 5', 'NodeDataChanged /a 6', 'NodeDeleted /a/b 8'])
    await settled()
    expect(server.last.kinds()).toEqual(['addWatch', 'removeWatches'])
  })

  test('says what was lost, and when to read anew', async () => {
    const { server, stream, clock } = await begin()
    await server.last.cut()
    await clock.advance(100)
    await server.last.welcome()
    expect(server.last.requests[0]?.request).toMatchObject({ kind: 'setWatches2', persistentWatches: ['/a'] })
    expect((await stream.next()).value).toMatchObject({ type: 'lost', path: '/a' })
    expect((await stream.next()).value).toMatchObject({ type: 'resync', path: '/a' })
  })

  test('that nobody reads stays bounded', async () => {
    const { server, stream } = await begin()
    for (let i = 1; i <= 5000; i++) void server.last.event('NodeDataChanged', '/a', i)
    await settled()
    expect((await stream.next()).value).toMatchObject({ type: 'lost' })
    expect((await stream.next()).value).toMatchObject({ type: 'resync' })
    expect((await stream.next()).value).toMatchObject({ type: 'NodeDataChanged' })
  })

  test('ends quietly by its signal, and with an error with the session', async () => {
    const quiet = await begin()
    const waiting = quiet.stream.next()
    quiet.abort.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })

    const { client, server, clock, stream } = await begin()
    const next = stream.next()
    await server.last.cut()
    expect((await next).value).toMatchObject({ type: 'lost' })
    await clock.advance(100)
    await server.last.welcome(0)
    expect(client.state).toBe('lost')
    await expect(stream.next()).rejects.toMatchObject({ code: 'SessionExpired' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('is not replaced by a one-shot watch, and does not take it along', async () => {
    const { client, server, stream } = await begin()
    const seen: string[] = []
    void client.getData('/a', { watch: ({ type }) => seen.push(type) })
    await settled()
    expect(server.last.requests[1]?.request).toMatchObject({ kind: 'getData', watch: false })
    await server.last.reply(2, 'getData', { data: null, stat: STAT })
    await stream.return?.()
    await settled()
    expect(server.last.kinds()).toEqual(['addWatch', 'getData'])
    await server.last.event('NodeDataChanged', '/a')
    expect(seen).toEqual(['NodeDataChanged'])
  })
})

test('a stream that opens while there is no connection begins with its first change', async () => {
  const { client, server, clock } = await connectedStage()
  await server.last.cut()
  const opening = client.watch('/a')
  const reading = client.exists('/a', { watch: () => undefined })
  await clock.advance(100)
  await server.last.welcome()
  expect(server.last.requests.map(({ request }) => request)).toMatchObject([
    { kind: 'addWatch' },
    { kind: 'exists', watch: false },
  ])
  await server.last.reply(1, 'addWatch', {})
  await server.last.refuse(2, ERROR_CODES.NoNode)
  await reading
  const stream = await opening
  await server.last.event('NodeCreated', '/a')
  expect((await stream.next()).value).toMatchObject({ type: 'NodeCreated' })
})

describe('removing', () => {
  test('says which kinds there were, ends streams, and knows when there is nothing', async () => {
    const { client, server } = await connectedStage()
    const opening = client.watch('/a')
    void client.exists('/a', { watch: () => undefined })
    await settled()
    await server.last.reply(1, 'addWatch', {})
    await server.last.reply(2, 'exists', { stat: STAT })
    const stream = await opening
    const removing = client.removeWatches('/a')
    await settled()
    await server.last.reply(3, 'removeWatches', {})
    expect([...(await removing)].sort()).toEqual(['data', 'persistent'])
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    const again = expect(client.removeWatches('/a')).rejects.toMatchObject({ code: 'NoWatcher' })
    await settled()
    expect(server.last.kinds()).toEqual(['addWatch', 'exists', 'removeWatches', 'removeWatches'])
    await server.last.reply(4, 'removeWatches', {})
    await again
  })

  test('of one listener leaves the server alone', async () => {
    const { client, server } = await connectedStage()
    const seen: string[] = []
    const one = (): void => void seen.push('one')
    void client.exists('/a', { watch: one })
    void client.exists('/a', { watch: () => seen.push('other') })
    await settled()
    await server.last.reply(1, 'exists', { stat: STAT })
    await server.last.reply(2, 'exists', { stat: STAT })
    const removing = client.removeWatches('/a', { watch: one, type: 'data' })
    await settled()
    expect(server.last.requests[2]?.request).toEqual({ kind: 'checkWatches', path: '/a', type: 2 })
    await server.last.reply(3, 'checkWatches', {})
    expect(await removing).toEqual(['data'])
    await server.last.event('NodeDeleted', '/a')
    expect(seen).toEqual(['other'])
  })

  test('can be local', async () => {
    const { client, server } = await connectedStage()
    void client.exists('/a', { watch: () => undefined })
    await settled()
    await server.last.reply(1, 'exists', { stat: STAT })
    const removing = client.removeWatches('/a', { local: true })
    await settled()
    await server.last.cut()
    expect(await removing).toEqual(['data'])
  })
})
