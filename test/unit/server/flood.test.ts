import { expect, test } from 'vitest'
import type { SessionId } from '../../../src/base/ids.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import { encodeLeaderRequest } from '../../../src/tree/request.ts'
import { Pair } from './pair.ts'

/** What says to a client that there is no place for it: ThrottledOp. */
const REFUSAL = { xid: 0, zxid: 0, err: -127 }

test('a replica that has as many connections as it takes refuses the next ones, and serves those it has', () => {
  const pair = new Pair()
  pair.session(1, 1)
  const [, server] = pair.servers
  for (let id = 2; id <= LIMITS.sessionsPerReplicaMax + 3; id++)
    pair.carryOut(server.connectionOpened(id, { from: 'peer', address: '' }))
  expect([...pair.closed]).toEqual(
    [1, 2, 3].map((more) => [LIMITS.sessionsPerReplicaMax + more, 'too many connections']),
  )
  for (const id of pair.closed.keys()) expect(pair.seen(id)).toEqual([REFUSAL])
  pair.ask(1, 1, [1, { kind: 'exists', path: '/zookeeper', watch: false }])
  expect(pair.seen(1)).toHaveLength(1)
})

test('over TCP it does as ZooKeeper: it closes the connection, and says nothing', () => {
  const pair = new Pair()
  const [, server] = pair.servers
  for (let id = 1; id <= LIMITS.sessionsPerReplicaMax + 1; id++)
    pair.carryOut(server.connectionOpened(id, { from: 'tcp', address: '10.0.0.1' }))
  expect([pair.closed.size, pair.frames.size]).toEqual([1, 0])
})

test('pages that come and go leave so many sessions behind and no more; when one is over there is a place again', () => {
  const pair = new Pair()
  const [, server] = pair.servers
  const { sessionsPerReplicaMax } = LIMITS
  const first = pair.session(1, 1).sessionId
  for (let id = 2; id <= sessionsPerReplicaMax; id++) {
    pair.connect(1, id)
    if (id % 1000 !== 0) continue
    pair.commit()
    for (let gone = id - 999; gone <= id; gone++) if (gone !== 1) pair.carryOut(server.connectionClosed(gone))
    pair.frames.clear()
  }
  let next = sessionsPerReplicaMax
  const refused = (): boolean => {
    pair.connect(1, ++next)
    pair.commit()
    return pair.closed.get(next) === 'too many sessions'
  }
  expect(refused()).toBe(true)
  expect(pair.seen(next)).toEqual([REFUSAL])
  // Whoever has one goes on, over this connection and the next one.
  pair.ask(1, 1, [1, { kind: 'exists', path: '/zookeeper', watch: false }])
  expect(pair.seen(1)).toHaveLength(1)
  pair.carryOut(server.endSession(first))
  pair.commit()
  expect([refused(), refused()]).toEqual([false, true])
})

test('a member that asks for sessions without end gets so many and no more; who asks then is told, and who has one goes on', () => {
  const pair = new Pair()
  const mine = pair.session(1, 1).sessionId
  const password = new Uint8Array(16)
  const forged = (session: number) =>
    encodeLeaderRequest({
      kind: 'createSession',
      session: BigInt(session) as SessionId,
      origin: session,
      timeout: 86_400_000,
      password,
      line: 0,
    })
  const ask = (from: number, to: number): void => {
    for (let session = from; session < to; session++) pair.carryOut([{ kind: 'request', bytes: forged(session) }])
    pair.commit()
  }
  for (let from = 1; from < LIMITS.sessionsMax; from += 1000) ask(from, Math.min(from + 1000, LIMITS.sessionsMax))
  ask(LIMITS.sessionsMax + 1, LIMITS.sessionsMax + 1001)
  expect(pair.servers.map((server) => server.status().sessions.length)).toEqual([
    LIMITS.sessionsMax,
    LIMITS.sessionsMax,
  ])
  pair.connect(1, 2)
  pair.commit()
  expect([pair.seen(2), pair.closed.get(2)]).toEqual([[REFUSAL], 'too many sessions'])
  pair.ask(1, 1, [1, { kind: 'exists', path: '/zookeeper', watch: false }])
  expect(pair.seen(1)).toHaveLength(1)
  pair.carryOut(pair.servers[1].endSession(mine))
  pair.commit()
  expect(pair.session(1, 3).sessionId).not.toBe(0n)
})
