import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { IceSource } from '../../../src/keeper/ice-source.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const failed = vi.fn<(why: string) => void>()
const server = (urls: string) => [{ urls }]

it('gives a list as it is', () => {
  expect(new IceSource(server('stun:a'), failed).servers()).toEqual(server('stun:a'))
})

it('asks a function first, again for a later connection when a minute has passed, and keeps the last answer when it throws', async () => {
  let asked = 0
  const source = new IceSource(async () => {
    asked += 1
    if (asked === 2) throw new Error('out of order')
    return server(`turn:${asked}`)
  }, failed)
  const both = [source.servers(), source.servers()]
  expect(await Promise.all(both)).toEqual([server('turn:1'), server('turn:1')])
  expect([source.servers(), asked]).toEqual([server('turn:1'), 1])
  vi.advanceTimersByTime(60_000)
  expect(await source.servers()).toEqual(server('turn:1'))
  expect([asked, failed.mock.calls]).toEqual([2, [['No ICE servers: Error: out of order']]])
  vi.advanceTimersByTime(60_000)
  // The connection that asks gets the new answer: the old one's credentials may have run out.
  expect(await source.servers()).toEqual(server('turn:3'))
})

it('waits for an answer, but not for ever', async () => {
  let answer: (servers: RTCIceServer[]) => void = () => undefined
  const source = new IceSource(() => new Promise((resolve) => (answer = resolve)), failed)
  const first = source.servers()
  await vi.advanceTimersByTimeAsync(5000)
  expect(await first).toEqual([])
  expect(source.servers()).toEqual([])
  answer(server('turn:late'))
  await vi.advanceTimersByTimeAsync(1)
  expect(source.servers()).toEqual(server('turn:late'))
})
