import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../src/base/limits.ts'
import { PacketBatch, splitPackets } from '../../../src/jute/packets.ts'
import { channelPipe } from '../../../src/mesh/channel-pipe.ts'

/** One end of a data channel, as far as a pipe uses it; `out` holds what it was given to send. */
class Channel extends EventTarget {
  readyState: RTCDataChannelState = 'open'
  bufferedAmount = 0
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null
  onbufferedamountlow: (() => void) | null = null
  readonly out: Uint8Array[] = []

  send(bytes: Uint8Array): void {
    this.out.push(bytes)
  }

  close(): void {
    this.readyState = 'closed'
  }

  hear(data: unknown): void {
    this.onmessage?.(new MessageEvent('message', { data }))
  }
}

function pipeOver(channel: Channel, packetBytesMax?: number) {
  const pipe = channelPipe(channel as unknown as RTCDataChannel, packetBytesMax)
  const frames: Uint8Array[] = []
  const ends: string[] = []
  pipe.onframe = (frame) => frames.push(frame)
  pipe.onclose = (reason) => ends.push(reason)
  return { pipe, frames, ends }
}

const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer
const packets = [new Uint8Array(0), new Uint8Array([1, 2]), new Uint8Array(50_000).fill(7)]
const frameOf = (all: readonly Uint8Array[]) => {
  const batch = new PacketBatch()
  for (const packet of all) batch.add(packet)
  return batch.take()
}

describe('a client over a data channel', () => {
  it('sends pieces that every browser carries, and hears them as whole packets however they are cut', () => {
    const channel = new Channel()
    pipeOver(channel).pipe.send(frameOf(packets))
    expect(Math.max(...channel.out.map(({ length }) => length))).toBe(LIMITS.frameBytesMax)

    const other = new Channel()
    const { frames } = pipeOver(other)
    for (const piece of channel.out) {
      other.hear(bufferOf(piece.subarray(0, 3)))
      other.hear(bufferOf(piece.subarray(3)))
    }
    expect(frames.flatMap((frame) => splitPackets(frame))).toEqual(packets)
  })

  it.each([
    ['a packet that is too long', bufferOf(new Uint8Array([0, 0x20, 0, 0]))],
    ['a negative length', bufferOf(new Uint8Array([0xff, 0xff, 0xff, 0xff]))],
    ['text', 'hello'],
    ['a blob', new Blob(['x'])],
  ])('is ended once by %s, and gives on nothing of it', (_, data) => {
    const channel = new Channel()
    const { frames, ends } = pipeOver(channel)
    channel.hear(data)
    channel.hear(bufferOf(frameOf(packets)))
    expect([frames, ends.length, channel.readyState]).toEqual([[], 1, 'closed'])
  })

  it('waits for a slow reader, goes on when that has read, and cuts off one that reads nothing', () => {
    const channel = new Channel()
    channel.bufferedAmount = LIMITS.linkBufferedBytesMax
    const { pipe, ends } = pipeOver(channel)
    pipe.send(new Uint8Array(10))
    expect(channel.out).toEqual([])
    channel.bufferedAmount = 0
    channel.onbufferedamountlow?.()
    expect(channel.out.map(({ length }) => length)).toEqual([10])
    channel.bufferedAmount = LIMITS.linkBufferedBytesMax
    for (let i = 0; i < 3; i++) pipe.send(new Uint8Array(LIMITS.clientQueueBytesMax / 2))
    expect(ends).toEqual(['the other side does not read'])
  })
})
