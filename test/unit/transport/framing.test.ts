import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/jute/reader.ts'
import { Assembler, FrameQueue } from '../../../src/transport/framing.ts'

const drain = (queue: FrameQueue): Uint8Array[] => {
  const frames: Uint8Array[] = []
  for (let frame = queue.next(); frame !== null; frame = queue.next()) frames.push(frame)
  return frames
}
const message = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill)

describe('framing', () => {
  it('carries any messages, given at once or drawn, in frames of the allowed size', () => {
    const group = fc.record({ lengths: fc.array(fc.integer({ min: 1, max: 700 })), drawn: fc.boolean() })
    fc.assert(
      fc.property(fc.array(group), fc.integer({ min: 80, max: 400 }), (groups, frameBytesMax) => {
        const queue = new FrameQueue(frameBytesMax)
        const all: Uint8Array[] = []
        for (const { lengths, drawn } of groups) {
          const some = lengths.map((length, i) => message(length, i % 256))
          all.push(...some)
          if (drawn) queue.pushStream(some[Symbol.iterator]())
          else for (const one of some) queue.push(one)
        }
        const frames = drain(queue)
        expect(frames.every((frame) => frame.length <= frameBytesMax)).toBe(true)
        const assembler = new Assembler()
        const came = frames.flatMap((frame) => assembler.take(frame))
        expect(came.length).toBe(all.length)
        expect(came.every((one, i) => equalBytes(one, all[i] as Uint8Array))).toBe(true)
        expect([queue.bytes, assembler.unfinished]).toEqual([0, false])
      }),
    )
  })

  it('puts small messages into one frame', () => {
    const queue = new FrameQueue(16 * 1024)
    for (let i = 0; i < 100; i++) queue.push(message(100))
    expect(drain(queue)).toHaveLength(1)
  })

  it('refuses what is not framing, and messages over the cap', () => {
    const refused = (...bytes: number[]) =>
      expect(() => new Assembler().take(new Uint8Array(bytes))).toThrow(DecodeError)
    refused()
    refused(0, 0, 0)
    refused(0, 0, 0, 0, 1)
    refused(0, 0, 0, 2, 1)
    refused(0, 0, 0, 1)
    refused(0x80, 0, 0, 1, 1, 0, 0, 0, 1, 1)
    const queue = new FrameQueue(100)
    queue.push(message(1001))
    const assembler = new Assembler(1000)
    expect(() => drain(queue).map((frame) => assembler.take(frame))).toThrow(/too large/)
  })
})
