import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { runCommand } from '../../../src/node/commands.ts'
import { attachSignal, SignalServer } from '../../../src/node/signal-server.ts'

const HOST = '127.0.0.1'
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

type Options = Omit<Parameters<typeof SignalServer.start>[0], 'listen'>
async function start(options: Options = {}): Promise<SignalServer> {
  const server = await SignalServer.start({ listen: { host: HOST, port: 0 }, ...options })
  ends.push(() => server.close())
  return server
}

interface Page {
  say(word: unknown): void
  readonly heard: unknown[]
  readonly socket: WebSocket
  readonly closed: Promise<number>
}

const page = (server: SignalServer, options: WebSocket.ClientOptions = {}, path = '/'): Promise<Page> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${HOST}:${server.address.port}${path}`, options)
    const heard: unknown[] = []
    const closed = new Promise<number>((done) => void socket.on('close', done))
    socket.on('message', (data) => heard.push(JSON.parse(String(data))))
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_, { statusCode }) => reject(statusCode))
    ends.push(() => socket.terminate())
    const say = (word: unknown) => socket.send(typeof word === 'string' ? word : JSON.stringify(word))
    socket.on('open', () => resolve({ say, heard, socket, closed }))
  })

/** Everything that was sent before has been heard when this resolves. */
async function ping(one: Page): Promise<void> {
  const before = one.heard.length
  one.say({ type: 'ping' })
  await expect.poll(() => one.heard.slice(before)).toContainEqual({ type: 'pong' })
  one.heard.splice(
    one.heard.findLastIndex((word) => JSON.stringify(word) === '{"type":"pong"}'),
    1,
  )
}

describe('a topic', () => {
  test('carries what one publishes to the others of that topic, unread and whole', async () => {
    const server = await start()
    const [a, b, c] = await Promise.all([page(server), page(server), page(server)])
    a.say({ type: 'subscribe', topics: ['t'] })
    b.say({ type: 'subscribe', topics: ['t', 'u'] })
    c.say({ type: 'subscribe', topics: ['u'] })
    for (const one of [a, b, c]) await ping(one)
    const word = { type: 'publish', topic: 't', data: { deep: ['ü', 1] } }
    a.say(word)
    await expect.poll(() => b.heard).toEqual([word])
    b.say({ type: 'unsubscribe', topics: ['t'] })
    await ping(b)
    a.say(word)
    await ping(a)
    for (const one of [b, c]) await ping(one)
    expect([a.heard, b.heard, c.heard]).toEqual([[], [word], []])
    expect(server.health).toMatchObject({ connections: 3, topics: 2, published: 2, cut: 0 })
    c.socket.close()
    b.socket.close()
    await expect.poll(() => server.health).toMatchObject({ connections: 1, topics: 1 })
  })
})

describe('who misbehaves is cut off, and nobody else notices', () => {
  const deep = `{"type":"subscribe","topics":${'['.repeat(20_000)}`
  test.each([
    ['no JSON', '{not json', 1007],
    ['nested without end', deep, 1007],
    ['no object', '[]', 1007],
    ['no type', '{}', 1007],
    ['a topic that is no text', { type: 'publish', topic: 7 }, 1007],
    ['an empty topic', { type: 'subscribe', topics: [''] }, 1007],
    ['a long topic', { type: 'subscribe', topics: ['x'.repeat(257)] }, 1007],
    ['a claim that is none', { type: 'found', topic: 't', claim: 'x' }, 1007],
    ['a topic too many', { type: 'subscribe', topics: ['1', '2', '3', '4'] }, 1008],
    ['a message too large', { type: 'publish', topic: 't', data: 'x'.repeat(70_000) }, 1009],
  ])('%s', async (_, word, code) => {
    const server = await start({ topicsPerConnection: 3 })
    const [good, bad] = await Promise.all([page(server), page(server)])
    good.say({ type: 'subscribe', topics: ['t'] })
    await ping(good)
    bad.say(word)
    expect(await bad.closed).toBe(code)
    await ping(good)
    expect(good.heard).toEqual([])
  })

  test('bytes that are no text', async () => {
    const bad = await page(await start())
    bad.socket.send(new Uint8Array([1, 2]))
    expect(await bad.closed).toBe(1007)
  })

  test('more messages than allowed', async () => {
    const server = await start({ messagesPerSecond: 5 })
    const [good, bad] = await Promise.all([page(server), page(server)])
    for (let i = 0; i < 60; i++) bad.say({ type: 'publish', topic: 't' })
    expect(await bad.closed).toBe(1008)
    expect(server.health.published).toBeLessThan(60)
    await ping(good)
  })

  test('a connection that answers no heartbeat', async () => {
    const server = await start({ heartbeat: 30 })
    const [silent, good] = await Promise.all([page(server, { autoPong: false }), page(server)])
    expect(await silent.closed).toBe(1006)
    await ping(good)
  })

  test('but a word of a later protocol is passed over', async () => {
    const one = await page(await start())
    one.say({ type: 'sing' })
    await ping(one)
  })
})

describe('who may connect', () => {
  test('is said by origin, token, address and the application', async () => {
    const asked: (string | undefined)[] = []
    const server = await start({
      origins: ['https://good.example'],
      token: 'open sesame',
      connectionsPerAddress: 2,
      addressOf: ({ headers }) => String(headers['x-for'] ?? 'none'),
      authorize: async ({ headers }) => {
        asked.push(headers['x-for']?.toString())
        if (headers['x-for'] === 'broken') throw new Error('no')
        return headers['x-for'] !== 'evil'
      },
    })
    const path = '/?token=open%20sesame'
    await expect(page(server, { origin: 'https://evil.example' }, path)).rejects.toBe(403)
    await expect(page(server, {}, '/?token=no')).rejects.toBe(401)
    expect(asked).toEqual([])
    await expect(page(server, { headers: { 'x-for': 'evil' } }, path)).rejects.toBe(401)
    await expect(page(server, { headers: { 'x-for': 'broken' } }, path)).rejects.toBe(401)
    const first = await page(server, { origin: 'https://good.example' }, path)
    await page(server, {}, path)
    await expect(page(server, {}, path)).rejects.toBe(429)
    await page(server, { headers: { 'x-for': 'other' } }, path)
    first.socket.close()
    await expect.poll(() => page(server, {}, path).catch((status) => status)).toHaveProperty('heard')
    expect(server.health.refused).toBeGreaterThanOrEqual(5)
  })
})

describe('founding over the wire', () => {
  test('is granted to one of two, and confirmed', async () => {
    const server = await start({ founding: { youth: 0 } })
    const [a, b] = await Promise.all([page(server), page(server)])
    const [claim, other, ensemble] = ['a'.repeat(32), 'b'.repeat(32), 'e'.repeat(32)]
    a.say({ type: 'found', topic: 't', claim })
    await expect.poll(() => a.heard).toEqual([{ type: 'grant', lease: 10_000, topic: 't', claim }])
    b.say({ type: 'found', topic: 't', claim: other })
    await expect.poll(() => b.heard).toMatchObject([{ type: 'deny', reason: 'leased', topic: 't', claim: other }])
    a.say({ type: 'founded', topic: 't', ensemble, claim })
    await expect.poll(() => a.heard[1]).toEqual({ type: 'confirmed', topic: 't', claim })
    b.say({ type: 'founded', topic: 't', ensemble: 'f'.repeat(32) })
    await expect.poll(() => b.heard[1]).toEqual({ type: 'refused', ensemble, topic: 't', claim: null })
    expect(server.health.granted).toBe(1)
  })

  test('is granted by no young server', async () => {
    const a = await page(await start())
    a.say({ type: 'found', topic: 't', claim: 'a'.repeat(32) })
    await expect.poll(() => a.heard).toMatchObject([{ type: 'deny', reason: 'young' }])
  })
})

describe('beside other things', () => {
  const listening = (http: Server): Promise<string> =>
    new Promise((resolve) => {
      http.listen(0, HOST, () => resolve(`${HOST}:${(http.address() as AddressInfo).port}`))
    })

  test('an HTTP server keeps its other paths, and goes on when signaling ends', async () => {
    const http = createServer((_, response) => response.end('a page'))
    const attached = attachSignal(http, { path: '/signal' })
    const others: (string | undefined)[] = []
    http.on('upgrade', ({ url }, socket) => {
      if (url === '/signal') return
      others.push(url)
      socket.end('HTTP/1.1 418 Teapot\r\n\r\n')
    })
    const at = await listening(http)
    ends.push(() => http.close())
    const socket = new WebSocket(`ws://${at}/signal`)
    await new Promise((resolve) => socket.on('open', resolve))
    expect(attached.health.connections).toBe(1)
    const other = new WebSocket(`ws://${at}/else`)
    const status = await new Promise((resolve) => {
      other.on('unexpected-response', (_, { statusCode }) => resolve(statusCode))
      other.on('error', () => undefined)
    })
    expect([status, others]).toEqual([418, ['/else']])
    const closed = new Promise((resolve) => void socket.on('close', resolve))
    attached.close()
    attached.close()
    expect(await closed).toBe(1001)
    expect(await (await fetch(`http://${at}/`)).text()).toBe('a page')
  })

  test('a path that no request can have is refused, not served in vain', () => {
    const http = createServer()
    expect(() => attachSignal(http, { path: 'signal' })).toThrow(
      expect.objectContaining({ code: 'BadArguments', path: 'path' }),
    )
    expect(http.listenerCount('upgrade')).toBe(0)
  })

  test('a server of its own tells how it is', async () => {
    const server = await start()
    const at = `http://${HOST}:${server.address.port}`
    expect(await (await fetch(`${at}/health`)).json()).toMatchObject({ status: 'ok', connections: 0 })
    expect((await fetch(`${at}/else`)).status).toBe(404)
    expect((await fetch(at)).status).toBe(426)
    const taken = SignalServer.start({ listen: server.address })
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('the command names the argument that it cannot take', async () => {
    for (const [args, path] of [
      [[], '--listen'],
      [['--listen', 'nowhere'], '--listen'],
      [['--listen', 'localhost:0', '--path', 'signal'], '--path'],
      [['--listen', 'localhost:0', '--messages-per-second', '0'], '--messages-per-second'],
    ] as const)
      await expect(runCommand(['signal', ...args])).rejects.toMatchObject({ code: 'BadArguments', path })
  })
})
