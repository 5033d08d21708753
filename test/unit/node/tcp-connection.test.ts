import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { LIMITS } from '../../../src/base/limits.ts'
import { CountedPipe } from '../../../src/node/tcp-connection.ts'
import { TcpPipe } from '../../../src/node/tcp-pipe.ts'
import { Traffic } from '../../../src/node/traffic.ts'

/** One socket's chunk is read whole. */
const CHUNK = 64 * 1024

function packet(xid: number, bytes: number): Buffer {
  const packet = Buffer.alloc(4 + bytes)
  packet.writeInt32BE(bytes)
  packet.writeInt32BE(xid, 4)
  return packet
}

test.each([
  { requests: 20_000, bytes: 1000, read: LIMITS.requestsOutstandingMax + CHUNK / 1000 },
  { requests: 64, bytes: 1_000_000, read: (LIMITS.requestsOutstandingBytesMax + CHUNK) / 1_000_000 + 1 },
])(
  'of $requests requests of $bytes bytes that nobody answers only some are read; the rest once they are',
  async (one) => {
    const server = createServer()
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const pipe = new CountedPipe(new TcpPipe(await accepted), {
      address: 'here',
      traffic: new Traffic(),
      established: () => undefined,
      closed: () => undefined,
    })
    let arrived = 0
    pipe.onframe = (frame) => {
      arrived += frame.length
    }
    client.write(packet(0, 44))
    for (let xid = 1; xid <= one.requests; xid++) client.write(packet(xid, one.bytes))
    await expect.poll(() => pipe.counted().outstanding).toBeGreaterThan(10)
    let before = -1
    while (before !== arrived) {
      before = arrived
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(pipe.counted().outstanding).toBeLessThanOrEqual(one.read + 1)
    pipe.send(new Uint8Array(packet(0, 36)))
    for (let answered = 0; answered < one.requests; ) {
      const until = pipe.counted().received - 1
      while (answered < until) pipe.send(new Uint8Array(packet(++answered, 16)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(arrived).toBe(48 + one.requests * (one.bytes + 4))
    expect(pipe.counted().outstanding).toBe(0)
    client.destroy()
    pipe.close()
    await new Promise((resolve) => server.close(resolve))
  },
  30_000,
)
