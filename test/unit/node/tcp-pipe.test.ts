import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectTcp } from '../../../src/node/tcp-pipe.ts'

let server: Server
let port: number
let accepted: Promise<Socket>

beforeEach(async () => {
  server = createServer({ noDelay: true })
  accepted = new Promise((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve))
  ;(await accepted).destroy()
  await closed
})

const packet = (...bytes: number[]) => Buffer.from([0, 0, 0, bytes.length, ...bytes])

async function open() {
  const pipe = await connectTcp('127.0.0.1', port)
  const frames: number[][] = []
  const reasons: string[] = []
  pipe.onframe = (frame) => frames.push([...frame])
  pipe.onclose = (reason) => reasons.push(reason)
  return { pipe, frames, reasons, peer: await accepted }
}

/** Each write is its own segment: the next one leaves when this one has arrived. */
async function writeInTurn(peer: Socket, pieces: Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise((resolve) => peer.write(piece, resolve))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('a TCP pipe', () => {
  test('gives packets that came together as one frame', async () => {
    const { frames, peer } = await open()
    await writeInTurn(peer, [Buffer.concat([packet(1, 2), packet(), packet(3)])])
    await expect.poll(() => frames).toEqual([[0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 3]])
  })

  test('puts packets together that came in pieces, even of the length', async () => {
    const { frames, peer } = await open()
    const bytes = Buffer.concat([packet(1, 2, 3), packet(4)])
    await writeInTurn(peer, [bytes.subarray(0, 2), bytes.subarray(2, 5), bytes.subarray(5, 9), bytes.subarray(9)])
    await expect.poll(() => frames.flat()).toEqual([...bytes])
    expect(frames[0]).toEqual([...packet(1, 2, 3)])
  })

  test('sends bytes as they are', async () => {
    const { pipe, peer } = await open()
    const got: number[] = []
    peer.on('data', (chunk) => got.push(...chunk))
    pipe.send(new Uint8Array([0, 0, 0, 1, 9]))
    await expect.poll(() => got).toEqual([0, 0, 0, 1, 9])
  })

  test('closes itself on a length that no packet has, and says so once', async () => {
    const { frames, reasons, peer } = await open()
    await writeInTurn(peer, [Buffer.from([0x7f, 0xff, 0xff, 0xff, 1])])
    await expect.poll(() => reasons).toEqual(['the server sent a packet of 2147483647 bytes'])
    expect(frames).toEqual([])
  })

  test('tells once that the server went away', async () => {
    const { reasons, peer } = await open()
    peer.end()
    await expect.poll(() => reasons).toEqual(['the server closed the connection'])
  })

  test('closes once', async () => {
    const { pipe, reasons } = await open()
    pipe.close()
    pipe.close()
    expect(reasons).toEqual(['closed'])
  })
})

test('no pipe where nobody listens', async () => {
  const nobody = createServer()
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
  const { port: free } = nobody.address() as AddressInfo
  await new Promise((resolve) => nobody.close(resolve))
  await expect(connectTcp('127.0.0.1', free)).rejects.toThrow('ECONNREFUSED')
  await connectTcp('127.0.0.1', port)
})
