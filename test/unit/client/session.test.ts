import { describe, expect, test } from 'vitest'
import { ERROR_CODES, KeeperError } from '../../../src/base/errors.ts'
import type { SessionId } from '../../../src/base/ids.ts'
import type { StateChange } from '../../../src/client/api.ts'
import { Client } from '../../../src/client/client.ts'
import { encodeError } from '../../../src/jute/protocol.ts'
import { ManualClock, ScriptedServer, STAT, settled } from './scripted-server.ts'
import { connectedStage, stage } from './stage.ts'

const caught = (promise: Promise<unknown>): Promise<KeeperError> =>
  promise.then(
    () => {
      throw new Error('it succeeded')
    },
    (error: KeeperError) => error,
  )

describe('connecting', () => {
  test('asks for a session and takes what it is given', async () => {
    const { client, server } = await stage({ sessionTimeout: 9000 })
    expect(client.state).toBe('connecting')
    expect(server.last.hello).toMatchObject({ timeOut: 9000, sessionId: 0n, lastZxidSeen: 0 })
    await server.last.welcome(4000, 99n as SessionId)
    expect([client.state, client.sessionId, client.sessionTimeout]).toEqual(['connected', 99n, 4000])
  })

  test('requests made before wait, and leave in the first frame', async () => {
    const { client, server } = await stage()
    const read = client.exists('/a')
    await server.last.welcome()
    expect(server.last.kinds()).toEqual(['exists'])
    await server.last.refuse(1, ERROR_CODES.NoNode)
    expect(await read).toBeNull()
  })

  test('tries again with pauses that grow, and gives up never', async () => {
    const { client, server, clock } = await stage()
    server.refusing = true
    await server.last.cut()
    await clock.advance(60_000)
    expect(client.state).toBe('connecting')
    server.refusing = false
    await clock.advance(2000)
    await server.last.welcome()
    expect(client.state).toBe('connected')
  })

  test('a server that does not answer is left', async () => {
    const { server, clock } = await stage()
    await clock.advance(2100)
    expect(server.connections.length).toBe(2)
    expect(server.connections[0]?.closed).toBe(true)
  })

  test('a new client for whom there is no place is told so; one that has a session looks on', async () => {
    const full = () => Promise.reject(new KeeperError('TooManySessions', 'no place'))
    const clock = new ManualClock()
    const states: StateChange[] = []
    const refused = Client.connect(full, { clock, random: () => 0.5 })
    refused.onState((change) => states.push(change))
    const call = caught(refused.create('/a'))
    await settled()
    expect(states).toEqual([{ state: 'lost', reason: 'no place', deadline: null }])
    expect(await call).toMatchObject({ code: 'TooManySessions', outcome: 'not-applied', retryable: true })
    expect(await caught(refused.connected())).toMatchObject({ code: 'TooManySessions', message: 'no place' })
    expect(clock.timers).toBe(0)

    const later = new ScriptedServer()
    const told = Client.connect(later.connect, { clock, random: () => 0.5 })
    await settled()
    await later.last.refuse(0, ERROR_CODES.ThrottledOp, 0)
    expect(await caught(told.connected())).toMatchObject({ code: 'TooManySessions' })

    const server = new ScriptedServer()
    let places = true
    const client = Client.connect(() => (places ? server.connect() : full()), { clock, random: () => 0.5 })
    await settled()
    await server.last.welcome()
    places = false
    await server.last.cut()
    await clock.advance(1000)
    expect(client.state).toBe('suspended')
    places = true
    await clock.advance(1500)
    await server.last.refuse(0, ERROR_CODES.ThrottledOp, 0)
    expect(client.state).toBe('suspended')
    await clock.advance(1500)
    await server.last.welcome()
    expect(client.state).toBe('connected')
  })

  test('credentials go first, on every connection', async () => {
    const { client, server, clock } = await stage({ auth: [{ scheme: 'digest', auth: 'a:b' }] })
    client.exists('/').catch(() => undefined)
    await server.last.welcome()
    expect(server.last.kinds()).toEqual(['auth', 'exists'])
    await server.last.cut()
    await clock.advance(100)
    await server.last.welcome()
    expect(server.last.kinds()).toEqual(['auth', 'exists'])
  })

  test('a session can be taken over', async () => {
    const session = { id: 5n as SessionId, password: Uint8Array.of(9) }
    const { client, server } = await stage({ session })
    expect(server.last.hello).toMatchObject({ sessionId: 5n })
    await server.last.welcome(0)
    expect(client.state).toBe('lost')
    expect((await caught(client.connected())).code).toBe('SessionExpired')
  })
})

describe('requests', () => {
  test('a thousand calls of one turn are one frame, answered in order', async () => {
    const { client, server } = await connectedStage()
    const before = server.last.frames.length
    const order: number[] = []
    const calls = Array.from({ length: 1000 }, (_, i) =>
      client.setData(`/n${i}`, 'x').then(() => {
        order.push(i)
      }),
    )
    await settled()
    expect(server.last.frames.length - before).toBe(1)
    expect(server.last.requests.length).toBe(1000)
    for (const { xid } of server.last.requests) await server.last.reply(xid, 'setData', { stat: STAT })
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  test('data is copied at the call', async () => {
    const { client, server } = await connectedStage()
    const data = Uint8Array.of(1)
    client.setData('/a', data).catch(() => undefined)
    data[0] = 2
    await settled()
    expect(server.last.requests[0]?.request).toMatchObject({ data: Uint8Array.of(1) })
  })

  test('what is too large is refused before it is sent', async () => {
    const { client, server } = await connectedStage()
    const error = await caught(client.setData('/a', new Uint8Array(2 ** 20)))
    expect([error.code, error.outcome, error.path]).toEqual(['TooLarge', 'not-applied', '/a'])
    expect(server.last.requests).toEqual([])
  })

  test('an abort ends the wait: nothing happened before sending, nobody knows after', async () => {
    const { client, server } = await connectedStage()
    const early = new AbortController()
    const late = new AbortController()
    const first = caught(client.delete('/a', { signal: early.signal }))
    const second = caught(client.delete('/b', { signal: late.signal }))
    early.abort('why')
    await settled()
    late.abort()
    expect(await first).toMatchObject({ code: 'Aborted', outcome: 'not-applied', cause: 'why' })
    expect(await second).toMatchObject({ code: 'Aborted', outcome: 'unknown' })
    expect(server.last.kinds()).toEqual(['delete'])
    await server.last.reply(1, 'delete', {})
    const third = client.exists('/c')
    await settled()
    await server.last.reply(2, 'exists', { stat: STAT })
    expect(await third).toEqual(STAT)
    expect((await caught(client.exists('/', { signal: AbortSignal.abort() }))).code).toBe('Aborted')
  })

  test('a failed multi has a code for each operation', async () => {
    const { client, server } = await connectedStage()
    const failed = caught(
      client.multi([
        { op: 'check', path: '/a' },
        { op: 'delete', path: '/b' },
        { op: 'delete', path: '/c' },
      ]),
    )
    await settled()
    const errors = [0, ERROR_CODES.NoNode, ERROR_CODES.RuntimeInconsistency]
    await server.last.reply(1, 'multi', { results: errors.map((err) => ({ kind: 'error', err })) })
    expect(await failed).toMatchObject({
      code: 'NoNode',
      path: '/b',
      results: ['Ok', 'NoNode', 'RuntimeInconsistency'],
    })
  })

  test.each([
    ['bytes that are no packet', Uint8Array.of(0, 0, 0, 9, 1)],
    ['a reply that nobody asked for', Uint8Array.of(0, 0, 0, 16, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])('%s end the connection and nothing else', async (_name, bytes) => {
    const { client, server, clock } = await connectedStage()
    await server.last.raw(bytes)
    expect(client.state).toBe('suspended')
    await clock.advance(100)
    await server.last.welcome()
    expect(client.state).toBe('connected')
  })
})

describe('loss', () => {
  test('of the connection: sent writes are unknown, reads are asked again, unsent ones go out later, the session is resumed', async () => {
    const { client, server, clock } = await connectedStage()
    const changes: StateChange[] = []
    client.onState((change) => changes.push(change))
    const write = caught(client.delete('/a'))
    const read = client.exists('/a')
    await settled()
    await server.last.cut()
    expect(await write).toMatchObject({ code: 'ConnectionLoss', outcome: 'unknown', retryable: true })
    expect(changes).toMatchObject([{ state: 'suspended', deadline: 6000 }])
    const waiting = client.delete('/b')
    await clock.advance(100)
    expect(server.last.hello).toMatchObject({ sessionId: 7n, passwd: Uint8Array.of(1, 2, 3) })
    await server.last.welcome()
    expect(server.last.kinds()).toEqual(['exists', 'delete'])
    await server.last.reply(1, 'exists', { stat: STAT })
    await server.last.reply(2, 'delete', {})
    await waiting
    expect(await read).toMatchObject({ version: STAT.version })
    expect(changes.map(({ state }) => state)).toEqual(['suspended', 'connected'])
  })

  test('again and again: a read that may itself be what ends connections is not asked for ever', async () => {
    const { client, server, clock } = await connectedStage()
    const read = caught(client.exists('/a'))
    await settled()
    for (let sends = 1; sends <= 4; sends++) {
      expect(server.last.kinds()).toEqual(['exists'])
      await server.last.cut()
      await clock.advance(2000)
      await server.last.welcome()
    }
    expect(await read).toMatchObject({ code: 'ConnectionLoss', outcome: 'not-applied' })
  })

  test('the zxid of the last reply is told on return', async () => {
    const { client, server, clock } = await connectedStage()
    const read = client.exists('/')
    await settled()
    await server.last.reply(1, 'exists', { stat: STAT }, 2 ** 33 + 5)
    await read
    expect(client.lastZxid).toBe(2 ** 33 + 5)
    await server.last.event('NodeCreated', '/x', 2 ** 33 + 9)
    await server.last.cut()
    await clock.advance(100)
    expect(server.last.hello?.lastZxidSeen).toBe(2 ** 33 + 5)
  })

  test('of the session, said by the server', async () => {
    const { client, server, clock } = await connectedStage()
    await server.last.cut()
    const waiting = caught(client.exists('/'))
    await clock.advance(100)
    await server.last.welcome(0)
    expect(client.state).toBe('lost')
    expect((await waiting).code).toBe('SessionExpired')
    expect((await caught(client.exists('/'))).code).toBe('SessionExpired')
    expect(clock.timers).toBe(0)
  })

  test('of the session, by its deadline', async () => {
    const { client, server, clock } = await connectedStage()
    server.refusing = true
    await server.last.cut()
    const waiting = caught(client.exists('/'))
    await clock.advance(5999)
    expect(client.state).toBe('suspended')
    await clock.advance(1)
    expect(client.state).toBe('lost')
    expect((await waiting).code).toBe('SessionExpired')
    expect(clock.timers).toBe(0)
  })

  test('of the right to speak', async () => {
    const { client, server } = await connectedStage()
    const refused = caught(client.addAuth('nonsense', 'x'))
    await settled()
    await server.last.send(encodeError({ xid: -4, zxid: 0, err: ERROR_CODES.AuthFailed }))
    expect((await refused).code).toBe('AuthFailed')
    expect((await caught(client.exists('/'))).code).toBe('AuthFailed')
    expect(client.state).toBe('lost')
  })
})

describe('silence', () => {
  test('is broken by pings, and ends the connection when the server is silent too', async () => {
    const { client, server, clock } = await connectedStage()
    await clock.advance(2000)
    expect(server.last.kinds()).toEqual(['ping'])
    await server.last.refuse(-2, 0)
    await clock.advance(3900)
    expect(client.state).toBe('connected')
    await clock.advance(200)
    expect(client.state).not.toBe('connected')
  })

  test('needs no pings where the host touches the session', async () => {
    const { client, server, clock } = await connectedStage({ touchedByHost: true })
    await clock.advance(60_000)
    expect(server.last.requests).toEqual([])
    expect(client.state).toBe('connected')
  })
})

describe('closing', () => {
  test('answers what was asked before, says goodbye, and refuses the rest', async () => {
    const { client, server, clock } = await connectedStage()
    const before = client.delete('/a')
    const closed = client.close()
    expect(client.close()).toBe(closed)
    expect((await caught(client.delete('/b'))).code).toBe('Closed')
    await settled()
    expect(server.last.kinds()).toEqual(['delete', 'closeSession'])
    await server.last.reply(1, 'delete', {})
    await before
    await server.last.reply(2, 'closeSession', {})
    await closed
    expect(client.state).toBe('closed')
    expect(server.last.closed).toBe(true)
    expect(clock.timers).toBe(0)
  })

  test('does not wait for a server that is away', async () => {
    const { client, server, clock } = await connectedStage()
    await server.last.cut()
    await client.close()
    expect(client.state).toBe('closed')
    expect(clock.timers).toBe(0)
  })

  test('a listener that throws disturbs nobody', async () => {
    const errors: unknown[] = []
    const { client, server } = await connectedStage({ onError: (error) => errors.push(error) })
    const states: string[] = []
    client.onState(() => {
      throw new Error('mine')
    })
    client.onState(({ state }) => states.push(state))
    await server.last.cut()
    expect(states).toEqual(['suspended'])
    expect(errors).toEqual([new Error('mine')])
  })
})
