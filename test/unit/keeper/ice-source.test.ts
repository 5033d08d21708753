import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { IceSource } from '../../../src/keeper/ice-source.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const failed = vi.fn<(why: string) => void>()
const server = (urls: string) => [{ urls }]

it('gives a list as it is', async () => {
  const source = new IceSource(server('stun:a'), failed)
  await source.ready()
  expect(source.now()).toEqual(server('stun:a'))
})

it('asks a function first, again when a minute has passed, and keeps the last answer when it throws', async () => {
  let asked = 0
  const source = new IceSource(async () => {
    asked += 1
    if (asked === 2) throw new Error('out of order')
    return server(`turn:${asked}`)
  }, failed)
  await source.ready()
  expect([source.now(), source.now(), asked]).toEqual([server('turn:1'), server('turn:1'), 1])
  vi.advanceTimersByTime(60_000)
  source.now()
  await vi.advanceTimersByTimeAsync(1)
  expect([source.now(), asked, failed.mock.calls]).toEqual([
    server('turn:1'),
    2,
    [['No ICE servers: Error: out of order']],
  ])
  vi.advanceTimersByTime(60_000)
  source.now()
  await vi.advanceTimersByTimeAsync(1)
  expect(source.now()).toEqual(server('turn:3'))
})

it('waits for the first answer, but not for ever', async () => {
  const source = new IceSource(() => new Promise(() => {}), failed)
  const ready = source.ready()
  await vi.advanceTimersByTimeAsync(5000)
  await ready
  expect(source.now()).toEqual([])
})
