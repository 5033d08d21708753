import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { Client } from '../../../src/client/client.ts'
import { type PipeSocket, webSocketPipe } from '../../../src/client/web-socket-pipe.ts'
import { type ProxyOptions, WebSocketProxy } from '../../../src/node/proxy.ts'

const HOST = '127.0.0.1'
let zookeeper: Server
let sockets: Socket[]
let proxy: WebSocketProxy

beforeEach(async () => {
  sockets = []
  zookeeper = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => zookeeper.listen(0, HOST, resolve))
})
afterEach(async () => {
  await proxy.close()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => zookeeper.close(resolve))
})

const start = async (more: Partial<ProxyOptions> = {}): Promise<void> => {
  const { port } = zookeeper.address() as AddressInfo
  proxy = await WebSocketProxy.start({
    listen: { host: HOST, port: 0 },
    zookeeper: [{ host: HOST, port }],
    ...more,
  })
}
const url = (query = '') => `ws://${HOST}:${proxy.address.port}/${query}`
const packet = (...bytes: number[]) => new Uint8Array([0, 0, 0, bytes.length, ...bytes])

/** 101, or the status of the refusal. */
const status = (query = '', protocols: string[] = [], headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url(query), protocols, { headers })
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('error', () => undefined)
    socket.on('open', () => {
      resolve(101)
      socket.close()
    })
  })

/** Sends these lines of a request as they are; the first line of the answer. */
const line = (...lines: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(proxy.address.port, HOST, () => socket.write([...lines, 'host: proxy', '', ''].join('\r\n')))
    socket.on('data', (chunk) => {
      answer += chunk
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''))
  })

async function open() {
  const before = sockets.length
  const connect = webSocketPipe(url(), (address) => new WebSocket(address) as unknown as PipeSocket)
  const pipe = await connect()
  const frames: number[][] = []
  const reasons: string[] = []
  pipe.onframe = (frame) => frames.push([...frame])
  pipe.onclose = (reason) => reasons.push(reason)
  await vi.waitUntil(() => sockets.length > before)
  const server = sockets.at(-1) as Socket
  const got: number[] = []
  server.on('data', (chunk) => got.push(...chunk))
  return { pipe, frames, reasons, server, got }
}

/** How a connection ends that the proxy refuses; it hears of it within 200 ms, or is none of those. */
async function refusal(): Promise<readonly [reason: string, full: boolean]> {
  const pipe = await webSocketPipe(url(), (address) => new WebSocket(address) as unknown as PipeSocket)()
  return new Promise((resolve) => {
    const cut = setTimeout(() => pipe.close(), 200)
    pipe.onclose = (reason, full = false) => {
      clearTimeout(cut)
      resolve([reason, full])
    }
  })
}

describe('frames', () => {
  test('go through both ways, whole', async () => {
    await start()
    const { pipe, frames, server, got } = await open()
    pipe.send(new Uint8Array([...packet(1, 2), ...packet(3)]))
    await expect.poll(() => got).toEqual([...packet(1, 2), ...packet(3)])
    server.write(packet(7, 8, 9).subarray(0, 5))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(frames).toEqual([])
    server.write(packet(7, 8, 9).subarray(5))
    await expect.poll(() => frames).toEqual([[...packet(7, 8, 9)]])
  })

  test('that are large leave in several messages', async () => {
    await start({ frameBytesMax: 1_100_000 })
    const { pipe, got, server } = await open()
    server.removeAllListeners('data')
    let bytes = 0
    server.on('data', (chunk) => {
      bytes += chunk.length
    })
    const one = new Uint8Array(4 + 700_000)
    new DataView(one.buffer).setInt32(0, 700_000)
    const frame = new Uint8Array(one.length * 4)
    for (let i = 0; i < 4; i++) frame.set(one, i * one.length)
    pipe.send(frame)
    await expect.poll(() => bytes).toBe(frame.length)
    expect(got).toEqual([])
  })

  test('that are not whole end the connection on both sides', async () => {
    await start()
    const { pipe, reasons, server } = await open()
    const gone = new Promise((resolve) => server.once('close', resolve))
    pipe.send(packet(1, 2, 3).subarray(0, 6))
    await gone
    await expect.poll(() => reasons).toEqual(['a frame must hold whole packets'])
  })

  test('over the limit end it too', async () => {
    await start({ frameBytesMax: 1000 })
    const { pipe, reasons } = await open()
    pipe.send(new Uint8Array(1004))
    await expect.poll(() => reasons).toHaveLength(1)
  })

  test('wait for their share of the line', async () => {
    await start({ bytesPerSecond: 50_000 })
    const { pipe, server } = await open()
    server.removeAllListeners('data')
    let bytes = 0
    server.on('data', (chunk) => {
      bytes += chunk.length
    })
    const frame = new Uint8Array(10_004)
    new DataView(frame.buffer).setInt32(0, 10_000)
    // A second's worth passes at once. Counted from the first frame: how late the test looks makes it only longer.
    const begin = performance.now()
    for (let i = 0; i < 8; i++) pipe.send(frame)
    await expect.poll(() => bytes, { timeout: 5000 }).toBe(8 * frame.length)
    pipe.send(frame)
    await expect.poll(() => bytes, { timeout: 5000 }).toBe(9 * frame.length)
    expect(performance.now() - begin).toBeGreaterThan(300)
  })

  test('wait for a server that does not read', async () => {
    await start()
    const { pipe, server } = await open()
    server.removeAllListeners('data').pause()
    let bytes = 0
    const frame = new Uint8Array(1_000_004)
    new DataView(frame.buffer).setInt32(0, 1_000_000)
    for (let i = 0; i < 30; i++) pipe.send(frame)
    await new Promise((resolve) => setTimeout(resolve, 200))
    server.on('data', (chunk) => {
      bytes += chunk.length
    })
    server.resume()
    await expect.poll(() => bytes, { timeout: 5000 }).toBe(30 * frame.length)
  })
})

describe('ends', () => {
  test('of one side are told to the other', async () => {
    await start()
    const first = await open()
    first.server.end()
    await expect.poll(() => first.reasons).toEqual(['the server closed the connection'])
    const second = await open()
    const gone = new Promise((resolve) => second.server.once('close', resolve))
    second.pipe.close()
    await gone
    await expect.poll(() => proxy.connections).toBe(0)
  })

  test('come at once where no server is', async () => {
    await start({ zookeeper: [{ host: HOST, port: 1 }] })
    const socket = new WebSocket(url())
    const code = await new Promise((resolve) => socket.on('close', resolve))
    expect(code).toBe(1013)
    const health = await (await fetch(url('health').replace('ws', 'http'))).json()
    expect(health).toEqual({ status: 'ok', connections: 0, failures: 1 })
  })
})

describe('admission', () => {
  test('by origin', async () => {
    await start({ origins: ['https://app.example.org/'] })
    expect(await status('', [], { origin: 'https://app.example.org' })).toBe(101)
    expect(await status('', [], { origin: 'https://evil.example.org' })).toBe(403)
    expect(await status()).toBe(101)
  })

  test('by token', async () => {
    await start({ token: 'secret' })
    expect(await status()).toBe(401)
    expect(await status('?token=wrong')).toBe(401)
    expect(await status('?token=secret')).toBe(101)
    expect(await status('', ['tabkeeper', 'token.secret'])).toBe(101)
    expect(await status('', ['tabkeeper', 'token.wrong'])).toBe(401)
  })

  test('by number', async () => {
    await start({ connectionsPerAddress: 2 })
    const [a] = [await open(), await open()]
    // A page hears why only once it is connected.
    expect(await Promise.all([refusal(), refusal()])).toEqual(Array(2).fill(['too many connections', true]))
    expect(sockets).toHaveLength(2)
    a.pipe.close()
    await expect.poll(async () => (await refusal())[1]).toBe(false)
  })

  test('by number, and of a flood without a word', async () => {
    await start({ connectionsPerAddress: 2 })
    for (let i = 0; i < 2; i++) await open()
    const upgrade = [
      'GET / HTTP/1.1',
      'host: proxy',
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const flood = Array.from({ length: 10 }, () => connect(proxy.address.port, HOST))
    const answers = flood.map(async (socket) => {
      socket.write([...upgrade, '', ''].join('\r\n'))
      return String(await new Promise((resolve) => socket.once('data', resolve))).slice(9, 12)
    })
    expect((await Promise.all(answers)).sort()).toEqual([...Array(2).fill('101'), ...Array(8).fill('429')])
    // Those that do not answer the word of refusal are cut off.
    for (const socket of flood) socket.resume()
    await expect.poll(() => flood.every(({ closed }) => closed), { timeout: 5000 }).toBe(true)
  })

  test('which a client that has no session yet takes as its end', async () => {
    await start({ connectionsPerAddress: 1 })
    await open()
    const clock = { now: () => performance.now(), after: () => () => undefined }
    const connector = webSocketPipe(url(), (address) => new WebSocket(address) as unknown as PipeSocket)
    const client = Client.connect(connector, { clock, random: () => 0 })
    await expect(client.connected()).rejects.toMatchObject({ code: 'TooManySessions', retryable: true })
    expect(client.state).toBe('lost')
  })

  test('of nothing but WebSockets', async () => {
    await start()
    expect((await fetch(url().replace('ws', 'http'))).status).toBe(426)
    expect((await fetch(url('x').replace('ws', 'http'))).status).toBe(404)
  })

  test('of request lines that hold a URL', async () => {
    await start({ token: 'secret' })
    for (const target of ['//', 'http://[', '*']) {
      expect(await line(`GET ${target} HTTP/1.1`)).toBe('HTTP/1.1 404 Not Found')
    }
    expect(await line('GET // HTTP/1.1', 'upgrade: websocket', 'connection: upgrade')).toBe('HTTP/1.1 400 Bad Request')
    expect(await status('?token=secret')).toBe(101)
  })
})
