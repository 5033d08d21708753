import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import { PERMISSIONS, XIDS } from '../../../src/jute/opcodes.ts'
import type { Request } from '../../../src/jute/protocol.ts'
import { digestId, OPEN_ACL } from '../../../src/tree/acl.ts'
import { Pair } from './pair.ts'

const LINE = 77
const create = (path: string, flags = 0) => ({ kind: 'create', path, data: null, acl: OPEN_ACL, flags }) as const
const set = (path: string): Request => ({ kind: 'setData', path, data: null, version: -1 })
const resume = (relativeZxid: number, more = {}): Request => ({
  kind: 'resumeWatches',
  relativeZxid,
  dataWatches: [],
  existWatches: [],
  childWatches: [],
  persistentWatches: [],
  persistentRecursiveWatches: [],
  last: true,
  ...more,
})

/** On the first connection of the first replica, with a line. */
function numbered(pair: Pair) {
  pair.connect(0, 1, 0n, new Uint8Array(16), 0, LINE)
  pair.commit()
  return pair.connected(1)
}

describe('a connection that negotiates', () => {
  it('is told so, and whether its line goes on; one that does not is answered as by ZooKeeper', () => {
    const pair = new Pair()
    const { sessionId, passwd, grant } = numbered(pair)
    expect(grant).toEqual({ version: 1, continued: false })
    pair.connect(1, 2, sessionId, passwd, 0, LINE)
    pair.commit()
    expect(pair.connected(2).grant).toEqual({ version: 1, continued: true })
    pair.connect(0, 3, sessionId, passwd, 0, LINE + 1)
    pair.commit()
    expect(pair.connected(3).grant).toEqual({ version: 1, continued: false })
    pair.connect(0, 4, sessionId, passwd)
    pair.commit()
    expect(pair.connected(4)).not.toHaveProperty('grant')
    pair.ask(0, 4, [XIDS.acknowledge, { kind: 'acknowledge', seen: 1 }], [XIDS.setWatches, resume(0)])
    expect(pair.seen(4).map(({ err }) => err)).toEqual(Array(2).fill(ERROR_CODES.Unimplemented))
  })

  it('is answered by another replica what the first one would have, and nothing is done twice', () => {
    const pair = new Pair()
    const { sessionId, passwd } = numbered(pair)
    pair.ask(0, 1, [1, create('/s-', 2)], [2, create('/s-', 2)])
    // The second replica has applied neither.
    pair.commit(2)
    pair.carryOut(pair.servers[0].connectionClosed(1))
    pair.connect(1, 2, sessionId, passwd, 0, LINE)
    pair.commit()
    pair.seen(2)
    pair.ask(1, 2, [1, create('/s-', 2)], [2, create('/s-', 2)], [3, create('/s-', 2)])
    pair.commit()
    expect(pair.seen(2).map(({ xid, err }) => [xid, err])).toEqual([1, 2, 3].map((xid) => [xid, 0]))
    expect(pair.servers.map((server) => server.status().znodes)).toEqual([7, 7])
    expect(pair.servers[0].digest).toBe(pair.servers[1].digest)
    // What was read is forgotten.
    pair.ask(1, 2, [XIDS.acknowledge, { kind: 'acknowledge', seen: 3 }], [2, create('/s-', 2)])
    pair.commit()
    expect(pair.seen(2)).toMatchObject([{ xid: 2, err: ERROR_CODES.ConnectionLoss }])
  })
})

describe('watches resume', () => {
  it('from a zxid on, each change once, whichever of them see it, one-shot ones until they are used up', () => {
    const pair = new Pair()
    const { sessionId, passwd } = numbered(pair)
    pair.ask(0, 1, [1, create('/a')], [2, create('/b')])
    pair.commit()
    const since = pair.servers[0].applied
    pair.ask(0, 1, [3, set('/a')], [4, create('/a/c')], [5, set('/b')], [6, set('/a')])
    pair.commit()
    pair.connect(1, 2, sessionId, passwd, since, LINE)
    pair.commit()
    pair.seen(2)
    pair.ask(
      1,
      2,
      [XIDS.setWatches, resume(since, { persistentWatches: ['/a'], dataWatches: ['/b'], last: false })],
      [XIDS.setWatches, resume(since, { persistentRecursiveWatches: ['/'], dataWatches: ['/a'] })],
    )
    const changes = ['/a', '/a/c', '/a', '/b', '/a'].map((event, at) => [-1, event, since + (at > 1 ? at : at + 1)])
    expect(pair.seen(2).map(({ xid, event, zxid, err }) => (xid === -1 ? [xid, event, zxid] : [xid, err]))).toEqual([
      ...changes,
      [XIDS.setWatches, 0],
    ])
    pair.ask(1, 2, [7, set('/b')])
    pair.commit()
    expect(pair.seen(2).map(({ xid }) => xid)).toEqual([-1, 7])
  })

  it('by what the client might read when it happened', () => {
    const pair = new Pair()
    const { sessionId, passwd } = numbered(pair)
    const closed = [{ perms: PERMISSIONS.read, scheme: 'digest', id: digestId('bob:secret') }]
    const { passwd: other, sessionId: bob } = pair.session(0, 9)
    expect([other.length, bob > 0n]).toEqual([16, true])
    pair.ask(0, 9, [1, { kind: 'auth', type: 0, scheme: 'digest', auth: Buffer.from('bob:secret') }])
    pair.ask(0, 1, [1, create('/a')])
    pair.commit()
    const since = pair.servers[0].applied
    pair.ask(0, 1, [2, set('/a')], [3, { kind: 'setACL', path: '/a', acl: closed, version: -1 }])
    pair.ask(0, 9, [2, { kind: 'delete', path: '/a', version: -1 }])
    pair.commit()
    pair.connect(0, 2, sessionId, passwd, since, LINE)
    pair.commit()
    pair.seen(2)
    pair.ask(0, 2, [XIDS.setWatches, resume(since, { persistentRecursiveWatches: ['/'] })])
    expect(pair.seen(2).map(({ event, zxid }) => [event, zxid - since])).toEqual([
      ['/a', 1],
      [undefined, 4],
    ])
  })

  it('not from a snapshot, which does not say what led to it', () => {
    const pair = new Pair()
    const { sessionId, passwd } = numbered(pair)
    pair.ask(0, 1, [1, create('/a')])
    pair.commit()
    const [first, second] = pair.servers
    const since = first.applied - 1
    second.serving(false)
    second.restore(first.applied, [...first.snapshot()])
    second.serving(true)
    pair.connect(1, 2, sessionId, passwd, since, LINE)
    pair.commit()
    pair.seen(2)
    pair.ask(1, 2, [XIDS.setWatches, resume(since, { existWatches: ['/a'], persistentWatches: ['/'] })])
    expect(pair.seen(2).map(({ xid, event, err }) => [xid, event, err])).toEqual([
      [-1, '/a', 0],
      [XIDS.setWatches, undefined, ERROR_CODES.DataInconsistency],
    ])
  })
})
