import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client } from '../../../src/client/client.ts'
import { Gateway } from '../../../src/node/gateway.ts'
import { nodeClock } from '../../../src/node/node-platform.ts'
import { connectTcp } from '../../../src/node/tcp-pipe.ts'

const HOST = '127.0.0.1'
const data = mkdtempSync(join(tmpdir(), 'tabkeeper-gateway-'))
const start = () => Gateway.start({ listen: { host: HOST, port: 0 }, data })
let gateway: Gateway

beforeAll(async () => {
  gateway = await start()
})
afterAll(async () => {
  await gateway.close()
  rmSync(data, { recursive: true, force: true })
})

const open = async (): Promise<Client> => {
  const client = Client.connect(() => connectTcp(HOST, gateway.address.port), {
    clock: nodeClock,
    random: Math.random,
  })
  await client.connected()
  return client
}

/** Sends these bytes, then nothing more, and reads to the end. */
const say = (bytes: Uint8Array | string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(gateway.address.port, HOST, () => socket.end(bytes))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })

describe('four-letter words', () => {
  test('are answered, also to who hangs up after asking', async () => {
    expect(await say('ruok')).toBe('imok')
    expect(await say('isro')).toBe('rw')
    expect(await say('srvr')).toMatch(
      /^Zookeeper version: 3\.8\.0-tabkeeper.*\n[\s\S]*Mode: standalone\nNode count: \d+\n$/,
    )
    expect(await say('conf')).toContain(`clientPort=${gateway.address.port}\n`)
    expect(await say('envi')).toContain('zookeeper.version=3.8.0')
  })

  test('tell of clients', async () => {
    const client = await open()
    await client.create('/e', 'x', { mode: 'ephemeral' })
    expect(await say('cons')).toContain(`sid=0x${client.sessionId.toString(16)},`)
    expect(await say('stat')).toMatch(/\n \/127\.0\.0\.1:\d+\[1]\(queued=0,recved=2,sent=2\)\n/)
    const figures = Object.fromEntries((await say('mntr')).split('\n').map((line) => line.split('\t')))
    expect(figures).toMatchObject({ zk_server_state: 'standalone', zk_ephemerals_count: '1', zk_global_sessions: '1' })
    await client.close()
  })
})

test('packets and latencies count on when their client has gone', async () => {
  const client = await open()
  await client.create('/counted', 'x')
  await client.close()
  const figures = async () => Object.fromEntries((await say('mntr')).split('\n').map((line) => line.split('\t')))
  const before = await figures()
  expect(before).toMatchObject({ zk_num_alive_connections: '0', zk_outstanding_requests: '0' })
  expect(Number(before['zk_packets_received'])).toBeGreaterThanOrEqual(3)
  expect(Number(before['zk_avg_latency'])).toBeGreaterThan(0)
  expect(Number(before['zk_max_latency'])).toBeGreaterThanOrEqual(Number(before['zk_min_latency']))
  const other = await open()
  await other.close()
  expect(Number((await figures())['zk_packets_received'])).toBe(Number(before['zk_packets_received']) + 2)
  expect(await say('srvr')).toMatch(/\nLatency min\/avg\/max: \d+\/\d+\.\d+\/\d+\n/)
})

describe('a client that is none', () => {
  test.each([
    ['says HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['announces more than a packet may hold', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0])],
    ['sends a packet that is no connect request', Buffer.from([0, 0, 0, 2, 1, 2])],
    ['hangs up within a packet', Buffer.from([0, 0, 0, 40, 1])],
    ['says next to nothing', Buffer.from([0])],
  ])('%s: it is closed, nobody else notices', async (_, bytes) => {
    const other = await open()
    expect(await say(bytes)).toBe('')
    expect((await other.exists('/'))?.version).toBe(0)
    await other.close()
  })
})

test('its member stands in /zookeeper/config', async () => {
  const client = await open()
  const { data: config, stat } = await client.getData('/zookeeper/config')
  expect(Buffer.from(config ?? []).toString()).toMatch(/^server\.\d+=\S+\nversion=0:1$/)
  expect(stat.version).toBe(1)
  await client.close()
})

test('tree, session and ephemerals are there again after closing and starting anew', async () => {
  const port = gateway.address.port
  const client = await open()
  await client.create('/kept', 'x')
  await client.create('/mine', 'x', { mode: 'ephemeral' })
  const { sessionId } = client
  await gateway.close()
  expect(await gateway.ended).toBeNull()
  gateway = await Gateway.start({ listen: { host: HOST, port }, data })
  await client.connected()
  expect(client.sessionId).toBe(sessionId)
  expect((await client.exists('/mine'))?.ephemeralOwner).toBe(sessionId)
  expect(await client.exists('/kept')).not.toBeNull()
  await client.close()
})

test('one process has a directory, one listener a port', async () => {
  await expect(start()).rejects.toMatchObject({ code: 'StorageFailed' })
  const elsewhere = mkdtempSync(join(tmpdir(), 'tabkeeper-gateway-'))
  const listen = { host: HOST, port: gateway.address.port }
  await expect(Gateway.start({ listen, data: elsewhere })).rejects.toThrow('EADDRINUSE')
  rmSync(elsewhere, { recursive: true, force: true })
})
