import { webcrypto } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { SignalServer } from '../../../src/node/signal-server.ts'
import { Lobby } from '../../../src/signaling/lobby.ts'
import { deriveRoomKey } from '../../../src/signaling/room-key.ts'
import { SealedSignaling } from '../../../src/signaling/sealed-signaling.ts'
import { LINE, type LineParts, type LineSocket, ServerLine } from '../../../src/signaling/server-line.ts'
import { SeveralSignalings } from '../../../src/signaling/several.ts'
import type { Envelope, Signal } from '../../../src/signaling/signal.ts'
import { SignalServers } from '../../../src/signaling/signal-servers.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const parts: LineParts = {
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
}
async function server(port = 0, youth = 0): Promise<SignalServer> {
  const started = await SignalServer.start({ listen: { host: '127.0.0.1', port }, founding: { youth } })
  ends.push(() => started.close())
  return started
}
const urlOf = ({ address }: SignalServer) => `ws://127.0.0.1:${address.port}`
const page = (...servers: readonly string[]) => {
  const made = new SignalServers(servers, parts)
  ends.push(() => made.end())
  return made
}
const ensemble = 'a'.repeat(32) as EnsembleId
const [ann, bob, eve] = [1, 2, 3] as [ReplicaId, ReplicaId, ReplicaId]
const announce = (from: ReplicaId): Signal => ({ kind: 'announce', ensemble, from, incarnation: 1 })
const here = (from: ReplicaId, to: ReplicaId): Signal => ({ kind: 'here', ensemble, from, incarnation: 1, to })

async function member(servers: SignalServers, self: ReplicaId) {
  const heard: Envelope[] = []
  const signaling = servers.signaling()
  await signaling.join('t', (signal) => heard.push(signal), self)
  return { heard, signaling }
}

describe('signaling by servers', () => {
  it('reaches everybody, or one, over any of them; each goes on without the others', async () => {
    const [one, two] = [await server(), await server()]
    const [a, b, c] = [page(urlOf(one), urlOf(two)), page(urlOf(two), urlOf(one)), page(urlOf(two))]
    const members = [await member(a, ann), await member(b, bob), await member(c, eve)] as const
    for (const servers of [a, b, c]) await expect.poll(() => servers.status.every(({ open }) => open)).toBe(true)
    await expect.poll(() => two.health.topics).toBe(4)
    members[0].signaling.send(announce(ann))
    members[0].signaling.send(here(ann, bob), bob)
    await expect.poll(() => members[1].heard).toHaveLength(4)
    expect(members[2].heard).toEqual([announce(ann)])
    expect(members[0].heard).toEqual([])
    await one.close()
    members[1].signaling.send(here(bob, ann), ann)
    await expect.poll(() => members[0].heard).toEqual([here(bob, ann)])
  })

  it('comes back by itself when a server does, and says so', async () => {
    const one = await server()
    const { port } = one.address
    const [a, b] = [page(urlOf(one)), page(urlOf(one))]
    const [first, second] = [await member(a, ann), await member(b, bob)]
    let reached = 0
    first.signaling.onreach = () => {
      reached += 1
    }
    await expect.poll(() => one.health.topics).toBe(3)
    await one.close()
    await expect.poll(() => a.status[0]?.open).toBe(false)
    const again = await server(port)
    await expect.poll(() => again.health.topics, { timeout: 3000 }).toBe(3)
    expect(reached).toBe(2)
    second.signaling.send(announce(bob))
    await expect.poll(() => first.heard).toEqual([announce(bob)])
  })

  it('hears nothing of what is no signal', async () => {
    const one = await server()
    const a = await member(page(urlOf(one)), ann)
    await expect.poll(() => one.health.topics).toBe(2)
    const stranger = new WebSocket(urlOf(one))
    ends.push(() => stranger.close())
    await new Promise((resolve) => stranger.on('open', resolve))
    for (const signal of [null, 7, {}, { kind: 'sealed' }, { kind: 'announce' }])
      stranger.send(JSON.stringify({ type: 'publish', topic: 't', signal }))
    stranger.send(JSON.stringify({ type: 'publish', topic: 't', signal: announce(bob) }))
    await expect.poll(() => a.heard).toEqual([announce(bob)])
  })

  it('lets one of two found, whoever asks first', async () => {
    const one = await server()
    const [a, b] = [page(urlOf(one)), page(urlOf(one))]
    for (const servers of [a, b]) await expect.poll(() => servers.status[0]?.open).toBe(true)
    const [claim, other] = ['1'.repeat(32), '2'.repeat(32)]
    const answers = await Promise.all([a.mayFound('t', claim), b.mayFound('t', other)])
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['denied', 'granted'])
    const [winner, loser] = answers[0].kind === 'granted' ? [a, b] : [b, a]
    const [mine, theirs] = winner === a ? [claim, other] : [other, claim]
    expect(await winner.confirm('t', mine, 'e'.repeat(32))).toEqual({ kind: 'confirmed' })
    expect(await loser.confirm('t', theirs, 'f'.repeat(32))).toEqual({ kind: 'refused' })
    expect(await loser.mayFound('t', theirs)).toMatchObject({ kind: 'denied', reason: 'founded' })
  })

  it('asks the first of the sorted addresses alone, and members remind it after it was started anew', async () => {
    const [one, two] = [await server(), await server()]
    const sorted = [urlOf(one), urlOf(two)].sort()
    const first = sorted[0] === urlOf(one) ? one : two
    const a = page(...sorted)
    const b = page(...[...sorted].reverse())
    for (const servers of [a, b]) await expect.poll(() => servers.status.every(({ open }) => open)).toBe(true)
    a.assert('t', 'e'.repeat(32))
    const claim = '2'.repeat(32)
    await expect.poll(() => b.mayFound('t', claim)).toMatchObject({ kind: 'denied', reason: 'founded' })
    const { port } = first.address
    await first.close()
    await expect.poll(() => b.mayFound('t', claim)).toEqual({ kind: 'silence' })
    await server(port, 60_000)
    await expect.poll(() => b.mayFound('t', claim), { timeout: 3000 }).toMatchObject({ reason: 'founded' })
  })
})

describe('a line', () => {
  function stage() {
    const timers: { ms: number; then: () => void }[] = []
    const sockets: (LineSocket & { readyState: number; sent: string[] })[] = []
    const log: string[] = []
    const line = new ServerLine(
      'ws://x',
      {
        connect: () => {
          const socket = {
            readyState: 0,
            sent: [] as string[],
            onopen: null,
            onmessage: null,
            onclose: null,
            send: (text: string) => void socket.sent.push(text),
            close: () => {
              socket.readyState = 3
            },
          }
          sockets.push(socket)
          return socket
        },
        after: (ms, then) => {
          const timer = { ms, then }
          timers.push(timer)
          return () => void timers.splice(timers.indexOf(timer) >>> 0, 1)
        },
        random: () => 1,
      },
      { opened: () => log.push('opened'), heard: () => log.push('heard'), closed: () => log.push('closed') },
    )
    const open = () => {
      const socket = sockets.at(-1) as (typeof sockets)[number]
      socket.readyState = 1
      socket.onopen?.(undefined as never)
      return socket
    }
    const fire = (): number => {
      const timer = timers.shift()
      timer?.then()
      return timer?.ms ?? -1
    }
    return { line, sockets, timers, log, open, fire }
  }

  it('waits longer after each failure, up to a bound, and starts over once the server has spoken', () => {
    const { sockets, open, fire, timers } = stage()
    const pauses: number[] = []
    for (let i = 0; i < 9; i++) {
      expect(fire()).toBe(LINE.openWithin)
      pauses.push(fire())
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    const socket = open()
    socket.onmessage?.({ data: '{"type":"pong"}' } as never)
    socket.onclose?.(undefined as never)
    expect(timers.map(({ ms }) => ms)).toEqual([500])
    expect(sockets).toHaveLength(10)
  })

  it('asks whether the server is there, and leaves one that says nothing', () => {
    const { open, fire, log, line } = stage()
    const socket = open()
    expect(socket.sent).toEqual(['{"type":"ping"}'])
    socket.onmessage?.({ data: '{"type":"pong"}' } as never)
    expect(fire()).toBe(LINE.pingEvery)
    expect(socket.sent).toHaveLength(2)
    expect(fire()).toBe(LINE.pingEvery)
    expect([socket.readyState, log]).toEqual([3, ['opened', 'closed']])
    line.end()
  })

  it('hears JSON objects only', () => {
    const { open, log } = stage()
    const socket = open()
    for (const data of [
      '{',
      '[]',
      'null',
      7,
      '"x"',
      new Uint8Array(1),
      `{"x":"${'x'.repeat(200_000)}"}`,
      '{"type":"x"}',
    ])
      socket.onmessage?.({ data } as never)
    expect(log).toEqual(['opened', 'heard'])
  })

  it('ends for good', () => {
    const { line, sockets, open, timers } = stage()
    const socket = open()
    line.end()
    line.say({ type: 'x' })
    expect([socket.sent.length, socket.readyState, timers.length, sockets.length]).toEqual([1, 3, 0, 1])
  })
})

describe('sealed signaling over servers', () => {
  const subtle = webcrypto.subtle as unknown as SubtleCrypto
  const random = (into: Uint8Array<ArrayBuffer>) => webcrypto.getRandomValues(into)
  async function sealed(url: string, fill: number, self: ReplicaId) {
    const key = await deriveRoomKey(new Uint8Array(32).fill(fill), 'room', subtle)
    const servers = page(url)
    const heard: Signal[] = []
    let forged = 0
    // Twice the same medium: whatever comes, comes twice.
    const medium = new SeveralSignalings([servers.signaling(), servers.signaling()])
    const signaling = new SealedSignaling(medium, { key: key.signals, subtle, random }, () => {
      forged += 1
    })
    await signaling.join('t', (signal) => heard.push(signal), self)
    await expect.poll(() => servers.status[0]?.open).toBe(true)
    const goodbye = { kind: 'bye', ensemble, from: self, incarnation: 1 } as const
    await signaling.prepare(goodbye)
    return { signaling, heard, forged: () => forged, goodbye }
  }

  it('keeps the order, says each thing once, and shows strangers nothing', async () => {
    const one = await server()
    const [a, b, c] = [
      await sealed(urlOf(one), 1, ann),
      await sealed(urlOf(one), 1, bob),
      await sealed(urlOf(one), 2, eve),
    ]
    await expect.poll(() => one.health.topics).toBe(4)
    b.signaling.send(announce(bob))
    await expect.poll(() => a.heard).toEqual([announce(bob)])
    const steps: Signal[] = Array.from({ length: 20 }, (_, attempt) => ({
      ...here(ann, bob),
      kind: 'signal',
      to: bob,
      attempt,
      data: { type: 'offer', sdp: 'x'.repeat(20_000 >> attempt) },
    }))
    for (const step of steps) a.signaling.send(step, bob)
    await expect.poll(() => b.heard).toEqual(steps)
    // At once and for the last time, as a page does that goes away.
    a.signaling.send(a.goodbye)
    a.signaling.leave()
    await expect.poll(() => b.heard.at(-1)).toEqual(a.goodbye)
    expect(c.heard).toEqual([])
    await expect.poll(c.forged).toBeGreaterThan(0)
    expect([a.forged(), b.forged()]).toEqual([0, 0])
  })
})

describe('the lobby', () => {
  it('tells pages with different secrets of each other, and no others', async () => {
    const one = await server()
    const told: string[] = []
    const enter = async (self: ReplicaId, tag: string | null) => {
      const servers = page(urlOf(one))
      const lobby = new Lobby(
        { signaling: servers.signaling(), topic: 'lobby', self, tag, now: () => performance.now() },
        () => told.push(`${self}`),
      )
      await lobby.enter()
      await expect.poll(() => servers.status[0]?.open).toBe(true)
      return lobby
    }
    await enter(ann, '1'.repeat(32))
    await enter(bob, '1'.repeat(32))
    await expect.poll(() => one.health.published).toBeGreaterThanOrEqual(2)
    expect(told).toEqual([])
    await enter(eve, null)
    await expect.poll(() => [...new Set(told)].sort()).toEqual(['1', '2', '3'])
  })

  it('is no amplifier: however many knock, a page answers once in two seconds', async () => {
    let now = 0
    let knock: (value: unknown) => void = () => undefined
    let answers = -1
    let told = 0
    const signaling = {
      join: async (_topic: string, hear: (value: never) => void) => {
        knock = hear as typeof knock
      },
      send: () => void answers++,
      leave: () => undefined,
    }
    const parts = { signaling, topic: 'lobby', self: ann, tag: null, now: () => now }
    await new Lobby(parts, () => void told++).enter()
    for (let i = 0; i < 100; i++) {
      knock({ kind: 'knock', from: 100 + i, tag: '1'.repeat(32) })
      now += 50
    }
    expect([answers, told]).toEqual([3, 100])
  })
})
