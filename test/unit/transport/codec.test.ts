import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeZxid } from '../../../src/base/zxid.ts'
import { DecodeError } from '../../../src/jute/reader.ts'
import { decodeMessage, encodeMessage, PEER_VERSION_MAX } from '../../../src/transport/codec.ts'
import { decodeEntries, encodeEntries } from '../../../src/zab/entry-codec.ts'
import { anyMessage, messages } from './messages.ts'

/** Deterministic noise. */
function* noise(seed: number): Generator<number, never> {
  let x = seed
  for (;;) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    yield x >>> 8
  }
}

describe('the message codec', () => {
  for (const [kind, message] of Object.entries(messages)) {
    it(`carries ${kind}`, () => {
      fc.assert(
        fc.property(message, (value) => {
          const bytes = encodeMessage(value)
          const read = decodeMessage(bytes)
          expect({ ...read }).toEqual({ ...value })
          expect(() => decodeMessage(new Uint8Array([...bytes, 0]))).toThrow(DecodeError)
          expect(() => decodeMessage(bytes.subarray(0, bytes.length - 1))).toThrow(DecodeError)
        }),
        { numRuns: 50 },
      )
    })
  }

  it('meets 100,000 garbled messages with nothing but DecodeError', () => {
    const samples = fc.sample(anyMessage, { numRuns: 500, seed: 7 }).map(encodeMessage)
    const random = noise(42)
    const draw = (below: number): number => random.next().value % below
    let refused = 0
    for (let i = 0; i < 100_000; i++) {
      const bytes = (samples[draw(samples.length)] as Uint8Array).slice(0)
      for (let flips = 1 + draw(4); flips > 0; flips--) bytes[draw(bytes.length)] = draw(256)
      const cut = draw(8) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes
      try {
        decodeMessage(cut)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(20_000)
  })

  it('refuses other versions, unknown types, forged numbers', () => {
    const ping = encodeMessage({ kind: 'ping', nonce: 1, token: 2, committed: makeZxid(1, 1), wanted: false })
    const changed = (at: number, value: number) => {
      const bytes = ping.slice()
      bytes[at] = value
      return () => decodeMessage(bytes)
    }
    expect(changed(0, PEER_VERSION_MAX + 1)).toThrow(/version/)
    expect(changed(1, 0)).toThrow(/type/)
    expect(changed(18, 0x7f)).toThrow(DecodeError)
  })

  it('says in the second version only what the first one cannot say', () => {
    const ping = { kind: 'ping', nonce: 1, token: 2, committed: makeZxid(1, 1), wanted: false } as const
    expect(encodeMessage(ping)[0]).toBe(1)
    expect(encodeMessage({ ...ping, named: [] })[0]).toBe(2)
    const candidate = encodeMessage({ kind: 'candidate', nonce: 1 })
    candidate[0] = 2
    expect(() => decodeMessage(candidate)).toThrow(/of version 2/)
  })

  it('carries batches of entries that ascend, and no others', () => {
    const entries = [1, 2, 3].map((n) => ({ zxid: makeZxid(1, n), kind: 'txn' as const, bytes: new Uint8Array([n]) }))
    expect(decodeEntries(encodeEntries(entries))).toEqual(entries)
    expect(() => decodeEntries(encodeEntries(entries.toReversed()))).toThrow(/ascend/)
  })
})
