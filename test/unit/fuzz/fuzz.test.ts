import { expect, test } from 'vitest'
import { record } from '../../fuzz/corpus.ts'
import { fuzz } from '../../fuzz/run.ts'
import { targetsOf } from '../../fuzz/targets.ts'

test('mutated frames are read or refused with DecodeError, and nothing else happens (a million: npm run fuzz)', async () => {
  const targets = targetsOf(await record(8))
  for (const { name, samples } of targets) expect(samples.length, name).toBeGreaterThan(0)
  const { refused, read } = fuzz(targets, 30_000, 7)
  expect(refused).toBeGreaterThan(5000)
  expect(read).toBeGreaterThan(1000)
})

test('a decoder that reads beyond its end, makes too much or fails in its own way is found', () => {
  const samples = [new Uint8Array(40)]
  const broken = {
    beyond: (bytes: Uint8Array) => new Uint8Array(bytes.buffer)[bytes.byteOffset + bytes.length] ?? -1,
    much: () => new Array(100_000).fill({}),
    typed: (bytes: Uint8Array) => {
      if (bytes.length > 20) throw new RangeError('its own')
    },
  }
  for (const decode of Object.values(broken)) {
    expect(() => fuzz([{ name: 'broken', samples, decode }], 2000, 1)).toThrow(/broken:/)
  }
})
