import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PacketBatch, PacketSplitter, splitPackets } from '../../../src/jute/packets.ts'
import { DecodeError } from '../../../src/jute/reader.ts'

const packets = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 })
const join = (all: readonly Uint8Array[]): Uint8Array => {
  const batch = new PacketBatch()
  for (const packet of all) batch.add(packet)
  return batch.take()
}
const lists = (all: readonly Uint8Array[]): number[][] => all.map((packet) => Array.from(packet))

describe('packets in a frame', () => {
  test('come out as they went in', () => {
    fc.assert(
      fc.property(packets, (all) => {
        expect(lists(splitPackets(join(all)))).toEqual(lists(all))
      }),
    )
  })

  test('a batch is empty after it was taken', () => {
    const batch = new PacketBatch().add(new Uint8Array(3))
    expect(batch.length).toBe(7)
    expect(batch.take().length).toBe(7)
    expect(batch.take().length).toBe(0)
  })

  test('a frame that ends within a packet is refused, and one too long, and a negative length', () => {
    expect(() => splitPackets(Uint8Array.of(0, 0, 0, 2, 1))).toThrow(DecodeError)
    expect(() => splitPackets(Uint8Array.of(0, 0, 0))).toThrow(DecodeError)
    expect(() => splitPackets(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toThrow(DecodeError)
    expect(() => splitPackets(Uint8Array.of(0, 0, 0, 2, 1, 1), 1)).toThrow(DecodeError)
  })

  test('a stream cut anywhere gives the same packets', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (all, cuts) => {
        const stream = join(all)
        const splitter = new PacketSplitter()
        const found: Uint8Array[] = []
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + (cuts[i % cuts.length] as number)
          found.push(...splitter.push(stream.subarray(at, end)))
          at = end
        }
        expect(lists(found)).toEqual(lists(all))
      }),
    )
  })

  test('a stream says at once that a packet is too long', () => {
    const splitter = new PacketSplitter(10)
    expect(splitter.push(Uint8Array.of(0, 0))).toEqual([])
    expect(() => splitter.push(Uint8Array.of(0, 11))).toThrow(DecodeError)
  })
})
