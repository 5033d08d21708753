import { afterEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { KeeperError } from '../../../src/base/errors.ts'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import type { KeeperEvents } from '../../../src/keeper/api.ts'
import { Entrance, type Start } from '../../../src/keeper/entrance.ts'
import { checkOpenOptions } from '../../../src/keeper/options.ts'
import type { Wires } from '../../../src/keeper/wires.ts'
import type { WorkerHost } from '../../../src/keeper/worker-host.ts'
import { SignalServer } from '../../../src/node/signal-server.ts'
import { Lobby } from '../../../src/signaling/lobby.ts'
import { PlainSignaling } from '../../../src/signaling/plain-signaling.ts'
import type { LineSocket } from '../../../src/signaling/server-line.ts'
import { SignalServers } from '../../../src/signaling/signal-servers.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function server(youth = 0): Promise<SignalServer> {
  const started = await SignalServer.start({ listen: { host: '127.0.0.1', port: 0 }, founding: { youth } })
  ends.push(() => started.close())
  return started
}

function servers({ address }: SignalServer): SignalServers {
  const made = new SignalServers([`ws://127.0.0.1:${address.port}`], {
    connect: (url) => {
      const socket = new WebSocket(url)
      socket.on('error', () => undefined)
      return socket as unknown as LineSocket
    },
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    random: () => 0.1,
  })
  ends.push(() => made.end())
  return made
}

/** A page, whose worker is told by the test what this browser holds. */
function page(
  by: SignalServer,
  more: {
    create?: 'never' | 'always'
    signal?: AbortSignal
    tag?: string
    whileFounding?: () => Promise<void>
    fork?: EnsembleId
  } = {},
) {
  const line = servers(by)
  const calls: string[] = []
  const notices: KeeperEvents['notice'][] = []
  const disk = { ensemble: null as EnsembleId | null, untouched: false, held: 0 }
  const own = Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16)).join('') as EnsembleId
  const wires: Wires = {
    topic: 't',
    key: null,
    servers: line,
    urls: [],
    beyond: true,
    introductions: null,
    clients: { topic: 'clients', signaling: new PlainSignaling(line.signaling()) },
    signaling: new PlainSignaling(line.signaling()),
    lobby: (self, stranger) =>
      new Lobby(
        { signaling: line.signaling(), topic: 'lobby', self, tag: more.tag ?? null, now: () => performance.now() },
        stranger,
      ),
    mark: async (ensemble) => ensemble,
    end: () => line.end(),
  }
  const host = {
    call: async (name: string) => {
      calls.push(name)
      if (name === 'discard') disk.ensemble = null
    },
    terminate: () => void calls.push('terminate'),
  } as unknown as WorkerHost
  const start: Start = async ({ create, join, fork = false }) => {
    calls.push(fork ? 'fork' : join === undefined ? create : 'join')
    if (fork && disk.held-- > 0) throw new KeeperError('StillRunning', 'its lock is held')
    if (join === undefined && create === 'never' && disk.ensemble === null)
      throw new KeeperError('NoNode', 'nothing here')
    if (create === 'auto') await more.whileFounding?.()
    const founded = join === undefined && disk.ensemble === null
    disk.ensemble = join ?? disk.ensemble ?? own
    const replica = 5 as ReplicaId
    const { ensemble, untouched } = disk
    return [
      host,
      {
        ensemble,
        replica,
        incarnation: 1,
        browser: 'b',
        lock: 'l',
        founded,
        empty: !founded,
        untouched,
        forkedFrom: null,
      },
    ]
  }
  const { create = 'auto', signal } = more
  const options = checkOpenOptions({
    ensemble: 'e',
    create,
    signaling: ['ws://x'],
    secret: null,
    ...(signal === undefined ? {} : { signal }),
  })
  const { fork } = more
  const given = fork === undefined ? options : { ...options, fork }
  const entrance = new Entrance(wires, given, start, (notice) => notices.push(notice))
  return { calls, notices, disk, own, line, enter: () => entrance.enter() }
}

/** Somebody who answers. */
async function member(by: SignalServer, ensemble: EnsembleId): Promise<void> {
  const signaling = new PlainSignaling(servers(by).signaling())
  await signaling.join(
    't',
    ({ kind, from }) => {
      const head = { ensemble, from: 1 as ReplicaId, incarnation: 1 }
      if (kind === 'seek') signaling.send({ ...head, kind: 'here', to: from }, from)
    },
    1 as ReplicaId,
  )
}
const theirs = 'f'.repeat(32) as EnsembleId

/** It is told once that it waits for a founder, and why, and waits until its signal ends that. */
async function expectWaiting(by: SignalServer, more: { create?: 'never' }, why: string): Promise<void> {
  const giveUp = new AbortController()
  const one = page(by, { ...more, signal: giveUp.signal })
  const entering = one.enter()
  entering.catch(() => undefined)
  const told = { code: 'FounderNeeded', message: expect.stringContaining(why) }
  await expect.poll(() => one.notices, { timeout: 9000 }).toEqual([told])
  giveUp.abort()
  await expect(entering).rejects.toMatchObject({ code: 'Aborted' })
}

describe('a page that knows nothing', () => {
  it('joins where a member answers, and asks nobody for a grant', async () => {
    const by = await server()
    await member(by, theirs)
    const one = page(by)
    expect((await one.enter())[1].ensemble).toBe(theirs)
    expect([one.calls, by.health.granted]).toEqual([['never', 'join'], 0])
  })

  it('founds by grant and confirms, where nobody answers', async () => {
    const by = await server()
    const one = page(by)
    expect((await one.enter())[1].ensemble).toBe(one.own)
    expect(one.calls).toEqual(['never', 'auto'])
    expect(await one.line.mayFound('t', '1'.repeat(32))).toMatchObject({ kind: 'denied', reason: 'founded' })
  })

  it("founds at once with 'always', asking nobody, whoever is there", async () => {
    const by = await server()
    await member(by, theirs)
    const one = page(by, { create: 'always' })
    expect((await one.enter())[1].ensemble).toBe(one.own)
    expect([one.calls, by.health.granted]).toEqual([['always'], 0])
  })

  it('forgets what it founded when its grant was not good, and joins', async () => {
    const by = await server()
    const back = servers(by)
    const one = page(by, {
      // A member of an older ensemble comes back, before the page can confirm.
      whileFounding: async () => {
        back.assert('t', theirs)
        await member(by, theirs)
        await expect.poll(() => back.mayFound('t', '1'.repeat(32))).toMatchObject({ reason: 'founded' })
      },
    })
    expect((await one.enter())[1].ensemble).toBe(theirs)
    expect([one.calls, by.health.granted]).toEqual([['never', 'auto', 'discard', 'terminate', 'join'], 1])
  })

  it('waits with a notice where it may not found, and ends by its signal', async () => {
    await expectWaiting(await server(), { create: 'never' }, '')
  })

  it('hears why a server does not let it found: it has just started, or another page founds', async () => {
    const young = page(await server(4500))
    expect((await young.enter())[1].ensemble).toBe(young.own)
    expect(young.notices).toEqual([{ code: 'FounderNeeded', message: expect.stringContaining('has just started') }])
    const by = await server()
    const other = servers(by)
    await expect.poll(() => other.mayFound('t', '1'.repeat(32))).toMatchObject({ kind: 'granted' })
    await expectWaiting(by, {}, 'another page founds it now')
  }, 20_000)

  it('hears that the server cannot be reached', async () => {
    const by = await server()
    await by.close()
    await expectWaiting(by, {}, 'cannot be reached')
  }, 15_000)

  it('is told when only others with another secret are there', async () => {
    const by = await server()
    const lobby = new Lobby(
      { signaling: servers(by).signaling(), topic: 'lobby', self: 9 as ReplicaId, tag: '9'.repeat(32), now: () => 0 },
      () => undefined,
    )
    await lobby.enter()
    await expect(page(by, { tag: '1'.repeat(32) }).enter()).rejects.toMatchObject({ code: 'WrongSecret' })
    expect(by.health.granted).toBe(0)
  })
})

describe('a page that has a replica', () => {
  it('goes on with it, whoever else is there', async () => {
    const by = await server()
    await member(by, theirs)
    const one = page(by)
    one.disk.ensemble = one.own
    expect((await one.enter())[1].ensemble).toBe(one.own)
    expect(one.calls).toEqual(['never'])
  })

  it('gives it up where nothing was written to it and another ensemble answers', async () => {
    const by = await server()
    const one = page(by)
    Object.assign(one.disk, { ensemble: one.own, untouched: true })
    expect((await one.enter())[1].ensemble).toBe(one.own)
    await member(by, theirs)
    expect((await one.enter())[1].ensemble).toBe(theirs)
    expect(one.calls).toEqual(['never', 'never', 'discard', 'terminate', 'join'])
  })
})

describe('a page that makes a fork', () => {
  it('waits until its own last worker has let go of the parent', async () => {
    const one = page(await server(), { fork: theirs })
    one.disk.held = 2
    await one.enter()
    expect(one.calls).toEqual(['fork', 'fork', 'fork'])
  })

  it('does not wait for ever', async () => {
    const one = page(await server(), { fork: theirs })
    one.disk.held = Number.POSITIVE_INFINITY
    await expect(one.enter()).rejects.toMatchObject({ code: 'StillRunning' })
  }, 15_000)
})
