import { expect, test } from 'vitest'
import { LIMITS } from '../../../src/base/limits.ts'
import { Pair } from './pair.ts'

test('a replica that has as many connections as it takes refuses the next ones, and serves those it has', () => {
  const pair = new Pair()
  pair.session(1, 1)
  const [, server] = pair.servers
  for (let id = 2; id <= LIMITS.sessionsPerReplicaMax + 3; id++)
    pair.carryOut(server.connectionOpened(id, { from: 'peer', address: '' }))
  expect([...pair.closed]).toEqual(
    [1, 2, 3].map((more) => [LIMITS.sessionsPerReplicaMax + more, 'too many connections']),
  )
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
