import { expect, test } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { ClientCall } from '../../../src/mesh/client-call.ts'
import type { Signal } from '../../../src/signaling/signal.ts'
import { ManualClock, settled } from '../client/scripted-server.ts'

const ensemble = 'a'.repeat(32) as EnsembleId
const self = 7 as ReplicaId

/** A page that asks for a member; connections are the platform's, and here are none. */
async function call() {
  const clock = new ManualClock()
  const dialed: ReplicaId[] = []
  let closed = 0
  let hear: (signal: Signal) => void = () => undefined
  const made = new ClientCall({
    topic: 't',
    ensemble: null,
    self,
    signaling: {
      join: async (_topic, onSignal) => {
        hear = onSignal
      },
      send: () => undefined,
      leave: () => undefined,
      prepare: async () => undefined,
    },
    iceServers: () => [],
    openPair: () => {
      dialed.push(made.member ?? self)
      return { signal: () => undefined, close: () => void closed++ }
    },
    after: (ms, then) => clock.after(ms, then),
    chance: () => 0,
  })
  await made.join()
  const answer = (kind: 'here' | 'full', from: number): void =>
    hear({ kind, ensemble, from: from as ReplicaId, incarnation: 1, to: self })
  return { made, clock, answer, closed: () => closed }
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'connected',
    (error: { readonly code?: string }) => error.code ?? 'cannot be had',
  )

test('that no member has a place is said, and is another thing than that nobody answers', async () => {
  const { made, clock, answer } = await call()
  const code = codeOf(made.connect())
  answer('full', 1)
  answer('full', 2)
  await clock.advance(1000)
  expect(await code).toBe('TooManySessions')
  const nobody = codeOf(made.connect())
  await clock.advance(3000)
  expect(await nobody).toBe('cannot be had')
})

test('one that has a place is taken, whoever else is full', async () => {
  const { made, clock, answer } = await call()
  const code = codeOf(made.connect())
  answer('full', 1)
  await clock.advance(500)
  answer('here', 2)
  answer('full', 3)
  await clock.advance(150)
  expect(made.member).toBe(2)
  made.hangUp()
  expect(await code).toBe('cannot be had')
})

test('a place that somebody else got meanwhile is not waited for', async () => {
  const { made, clock, answer, closed } = await call()
  const code = codeOf(made.connect())
  answer('here', 2)
  await clock.advance(150)
  answer('full', 1)
  await settled()
  expect([made.member, closed()]).toEqual([2, 0])
  answer('full', 2)
  expect(await code).toBe('cannot be had')
  expect([made.member, closed()]).toEqual([null, 1])
})
