import { afterEach, describe, expect, test } from 'vitest'
import type { WatchNotice } from '../../../src/client/api.ts'
import { Client } from '../../../src/client/client.ts'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import { Standalone, type StandaloneOptions } from '../../standalone.ts'
import { ManualClock } from './scripted-server.ts'

/** A way to the server on which replies can be kept back, and are lost with the connection. */
class Road {
  readonly server: Standalone
  readonly clock = new ManualClock()
  keepsReplies = false
  readonly clients: Client[] = []

  constructor(options: StandaloneOptions = {}) {
    this.server = new Standalone(options)
  }

  client(more: { plain?: boolean } = {}): Client {
    const random = Math.random
    const made = Client.connect(this.#connect, { clock: this.clock, random, sessionTimeout: 6000, ...more })
    this.clients.push(made)
    return made
  }

  /** Without what was kept back; the clients come back at once. */
  async cut(): Promise<void> {
    await this.server.settled()
    this.server.cut()
    this.keepsReplies = false
    await this.back()
  }

  async back(): Promise<void> {
    await this.server.settled()
    await this.clock.advance(100)
    await this.server.settled()
  }

  readonly #connect = async (): Promise<FramePipe> => {
    const pipe = await this.server.connect()
    const seen: FramePipe = {
      send: (frame) => pipe.send(frame),
      close: () => pipe.close(),
      onframe: null,
      onclose: null,
    }
    let welcomed = false
    pipe.onframe = (frame) => {
      if (!this.keepsReplies || !welcomed) seen.onframe?.(frame)
      welcomed = true
    }
    pipe.onclose = (reason) => seen.onclose?.(reason)
    return seen
  }
}

const roads: Road[] = []
function road(options?: StandaloneOptions): Road {
  const made = new Road(options)
  roads.push(made)
  return made
}
afterEach(() =>
  Promise.all(roads.splice(0).flatMap(({ clients }) => clients.map((each) => each.close().catch(() => undefined)))),
)

const told = (notices: readonly WatchNotice[]): string[] => notices.map(({ type, path }) => `${type} ${path}`)

function read(stream: AsyncIterable<WatchNotice>): WatchNotice[] {
  const seen: WatchNotice[] = []
  void (async () => {
    for await (const notice of stream) seen.push(notice)
  })().catch(() => undefined)
  return seen
}

describe('a write whose reply was lost', () => {
  test('is answered as it was, and done once', async () => {
    const way = road()
    const one = way.client()
    await one.create('/a')
    way.keepsReplies = true
    const asked = [
      one.create('/s-', null, { mode: 'persistentSequential' }),
      one.setData('/a', 'x', { version: 0 }),
      one.getData('/a').catch(({ code }) => code),
      one.multi([
        { op: 'create', path: '/m' },
        { op: 'delete', path: '/a' },
      ]),
    ]
    const failed = one.setData('/a', 'y').catch(({ code, outcome }) => `${code}, ${outcome}`)
    await way.cut()
    const { version } = (await asked[1]) as { version: number }
    // A read is asked anew, and sees what came of the writes behind it.
    expect([await asked[0], version, await asked[2], await asked[3], await failed]).toMatchObject([
      { path: '/s-0000000001' },
      1,
      'NoNode',
      [{ path: '/m' }, { op: 'delete' }],
      'NoNode, not-applied',
    ])
    expect((await one.getChildren('/')).children).toEqual(['m', 's-0000000001', 'zookeeper'])
  })

  test('however often the connection breaks', async () => {
    const way = road()
    const one = way.client()
    await one.create('/n', '0')
    way.keepsReplies = true
    const asked = Array.from({ length: 50 }, (_, version) => one.setData('/n', 'x', { version }))
    for (let times = 0; times < 6; times++) {
      await way.server.settled()
      way.server.cut()
      await way.back()
      expect(one.state).toBe('connected')
    }
    await way.cut()
    const stats = await Promise.all(asked)
    expect(stats.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  test('is in doubt with a server that does not know what it did', async () => {
    const way = road()
    const one = way.client({ plain: true })
    await one.connected()
    way.keepsReplies = true
    const lost = one.create('/a').catch(({ code, outcome }) => `${code}, ${outcome}`)
    await way.cut()
    expect(await lost).toBe('ConnectionLoss, unknown')
    expect(await one.exists('/a')).not.toBeNull()
  })

  test('is in doubt once another client has had the session', async () => {
    const way = road()
    const one = way.client()
    await one.connected()
    way.keepsReplies = true
    const lost = one.create('/a').catch(({ code, outcome }) => `${code}, ${outcome}`)
    await way.server.settled()
    way.keepsReplies = false
    const session = { id: one.sessionId, password: one.sessionPassword }
    const thief = Client.connect(way.server.connect, { clock: way.clock, random: Math.random, session })
    await thief.create('/b')
    await way.back()
    expect(await lost).toBe('ConnectionLoss, unknown')
  })

  test('in any number: what is more than the server remembers waits for its turn', async () => {
    const way = road()
    const one = way.client()
    await one.create('/n')
    way.keepsReplies = true
    const asked = Array.from({ length: 3000 }, () => one.create('/n/s-', null, { mode: 'persistentSequential' }))
    await way.cut()
    const paths = await Promise.all(asked)
    expect(paths.map(({ path }) => Number(path.slice(-10)))).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  })
})

describe('watches of a client that comes back', () => {
  test('tell what happened meanwhile, each change once, in order', async () => {
    const way = road()
    const [one, other] = [way.client(), way.client()]
    await one.create('/t')
    const deep = read(await one.watch('/t', { recursive: true }))
    const shallow = read(await one.watch('/t'))
    const once: string[] = []
    await one.exists('/t/b', { watch: ({ type }) => once.push(type) })
    await other.create('/t/a')
    way.keepsReplies = true
    const more = other.setData('/t/a', '1')
    const most = other.multi([
      { op: 'create', path: '/t/b' },
      { op: 'setData', path: '/t', data: '1' },
      { op: 'delete', path: '/t/b' },
    ])
    await way.cut()
    await Promise.all([more, most])
    await other.delete('/t/a')
    await one.sync()
    expect(told(deep)).toEqual([
      'NodeCreated /t/a',
      'lost /t',
      'NodeDataChanged /t/a',
      'NodeCreated /t/b',
      'NodeDataChanged /t',
      'NodeDeleted /t/b',
      'resumed /t',
      'NodeDeleted /t/a',
    ])
    expect(told(shallow)).toEqual([
      'NodeChildrenChanged /t',
      'lost /t',
      'NodeChildrenChanged /t',
      'NodeDataChanged /t',
      'NodeChildrenChanged /t',
      'resumed /t',
      'NodeChildrenChanged /t',
    ])
    expect(once).toEqual(['NodeCreated'])
    const zxids = deep.filter(({ type }) => type.startsWith('Node')).map(({ zxid }) => zxid)
    expect(zxids).toEqual([...zxids].sort((a, b) => a - b))
  })

  test('say resync where the log does not reach back, and go on', async () => {
    const way = road({ changesKept: 8 })
    const [one, other] = [way.client(), way.client()]
    await one.create('/t')
    const deep = read(await one.watch('/t', { recursive: true }))
    way.keepsReplies = true
    const creates = Array.from({ length: 8 }, (_, i) => other.create(`/t/${i}`))
    await way.cut()
    await Promise.all(creates)
    await other.create('/t/last')
    await one.sync()
    expect(told(deep)).toEqual(['lost /t', 'resync /t', 'NodeCreated /t/last'])
  })

  test('say lost and resync to a plain client', async () => {
    const way = road()
    const [one, other] = [way.client({ plain: true }), way.client()]
    await one.create('/t')
    const deep = read(await one.watch('/t', { recursive: true }))
    way.keepsReplies = true
    const missed = other.create('/t/missed')
    await way.cut()
    await missed
    await one.sync()
    expect(told(deep)).toEqual(['lost /t', 'resync /t'])
  })
})
