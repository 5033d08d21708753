import { afterEach, expect, test } from 'vitest'
import type { WatchEvent, WatchNotice } from '../../../src/client/api.ts'
import { Client } from '../../../src/client/client.ts'
import { Standalone } from '../../standalone.ts'
import { ManualClock } from './scripted-server.ts'

const open: Client[] = []
const client = (server: Standalone, clock: ManualClock, more = {}): Client => {
  const made = Client.connect(server.connect, { clock, random: () => 0.5, sessionTimeout: 6000, ...more })
  open.push(made)
  return made
}
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

test('a thousand writes of one turn, each in its place', async () => {
  const server = new Standalone()
  const one = client(server, new ManualClock())
  await one.create('/n')
  const paths = await Promise.all(
    Array.from({ length: 1000 }, () => one.create('/n/s-', null, { mode: 'persistentSequential' })),
  )
  expect(paths.map(({ path }) => Number(path.slice(-10)))).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect((await one.getChildren('/n')).children.length).toBe(1000)
})

test('over a cut: the session, its ephemerals and its watches live on', async () => {
  const server = new Standalone()
  const clock = new ManualClock()
  const [one, other] = [client(server, clock), client(server, clock)]
  await one.create('/e', 'x', { mode: 'ephemeral' })
  const seen: string[] = []
  await one.getData('/e', { watch: ({ type }) => seen.push(type) })
  const id = one.sessionId
  server.cut()
  await server.settled()
  expect([one.state, other.state]).toEqual(['suspended', 'suspended'])
  await clock.advance(100)
  await other.setData('/e', 'y')
  await one.sync()
  expect([one.state, one.sessionId, seen]).toEqual(['connected', id, ['NodeDataChanged']])
})

test('over a stop: what waits is done after the start', async () => {
  const server = new Standalone()
  const clock = new ManualClock()
  const one = client(server, clock)
  await one.connected()
  server.stop()
  await server.settled()
  const waiting = one.create('/later')
  await clock.advance(1000)
  server.start()
  await clock.advance(2500)
  expect((await waiting).path).toBe('/later')
})

test('a stream misses nothing, over a cut neither', async () => {
  const server = new Standalone()
  const clock = new ManualClock()
  const [one, other] = [client(server, clock), client(server, clock)]
  const stream = await one.watch('/t', { recursive: true })
  const seen: WatchNotice[] = []
  const reading = (async () => {
    for await (const notice of stream) {
      seen.push(notice)
      if (notice.type === 'NodeDeleted') return
    }
  })()
  await other.create('/t')
  await other.multi([
    { op: 'create', path: '/t/a' },
    { op: 'setData', path: '/t/a', data: '1' },
  ])
  await one.sync()
  server.cut()
  await server.settled()
  await clock.advance(100)
  await other.delete('/t/a')
  await reading
  expect(seen.map(({ type, path }) => `${type} ${path}`)).toEqual([
    'NodeCreated /t',
    'NodeCreated /t/a',
    'NodeDataChanged /t/a',
    'lost /t',
    'resumed /t',
    'NodeDeleted /t/a',
  ])
  const zxids = seen.filter(({ type }) => type.startsWith('Node')).map(({ zxid }) => zxid)
  expect(zxids).toEqual([...zxids].sort((a, b) => a - b))
})

test('streams of both kinds on one path, and a one-shot watch under them', async () => {
  const server = new Standalone()
  const clock = new ManualClock()
  const [one, other] = [client(server, clock), client(server, clock)]
  await other.create('/t')
  const deep = await one.watch('/t', { recursive: true })
  const shallow = await one.watch('/t')
  const once: string[] = []
  const told = { watch: ({ type }: WatchEvent) => once.push(type) }
  await Promise.all([one.getData('/t', told), one.getChildren('/t', told)])
  await other.setData('/t', '1')
  await other.setData('/t', '2')
  await other.create('/t/a')
  await one.sync()
  const take = async (stream: AsyncIterableIterator<WatchNotice>, count: number): Promise<string[]> => {
    const seen: string[] = []
    while (seen.length < count) seen.push(((await stream.next()).value as WatchNotice).type)
    return seen
  }
  expect(await take(deep, 3)).toEqual(['NodeDataChanged', 'NodeDataChanged', 'NodeCreated'])
  expect(await take(shallow, 3)).toEqual(['NodeDataChanged', 'NodeDataChanged', 'NodeChildrenChanged'])
  expect(once).toEqual(['NodeDataChanged', 'NodeChildrenChanged'])
  // What waits when the streams end is still told.
  await one.getChildren('/t', told)
  await Promise.all([deep.return?.(), shallow.return?.()])
  await other.delete('/t/a')
  await one.sync()
  expect(once).toEqual(['NodeDataChanged', 'NodeChildrenChanged', 'NodeChildrenChanged'])
})
