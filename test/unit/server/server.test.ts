import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import { TIMES } from '../../../src/base/limits.ts'
import type { Request } from '../../../src/jute/protocol.ts'
import { encodeConnectRequest } from '../../../src/jute/protocol.ts'
import { OPEN_ACL } from '../../../src/tree/acl.ts'
import { Pair } from './pair.ts'

const create = (path: string, flags = 0) => ({ kind: 'create', path, data: null, acl: OPEN_ACL, flags }) as const
const get = (path: string, watch = false): Request => ({ kind: 'getData', path, watch })
const exists = (path: string, watch = false): Request => ({ kind: 'exists', path, watch })
const sync: Request = { kind: 'sync', path: '/' }
const { NoNode, NodeExists } = ERROR_CODES

describe('what is not for clients', () => {
  it('is refused, proposes nothing, and leaves the session as it is (ZOOKEEPER-2014, 2623)', () => {
    const pair = new Pair()
    pair.session(1, 1)
    pair.ask(1, 1, [1, create('/a')])
    pair.commit()
    pair.seen(1)
    const before = pair.servers[1].applied
    const check: Request = { kind: 'check', path: '/a', version: 0 }
    const noServers = { joiningServers: null, leavingServers: null }
    const reconfig: Request = { kind: 'reconfig', ...noServers, newMembers: 'server.1=a:1:2', curConfigId: -1n }
    pair.ask(1, 1, [2, check], [3, reconfig], [4, get('/a')])
    pair.commit()
    const { Unimplemented, ReconfigDisabled } = ERROR_CODES
    expect(pair.seen(1).map(({ xid, err }) => [xid, err])).toEqual([
      [2, Unimplemented],
      [3, ReconfigDisabled],
      [4, 0],
    ])
    expect(pair.servers.map(({ applied }) => applied)).toEqual([before, before])
  })
})

describe('order within a session', () => {
  it('holds reads and syncs behind the writes before them, and joins their replies', () => {
    const pair = new Pair()
    pair.session(1, 1)
    pair.ask(1, 1, [1, get('/a')], [2, create('/a')], [3, get('/a')], [4, sync], [5, get('/a')], [6, create('/a')])
    expect(pair.seen(1)).toEqual([{ xid: 1, zxid: pair.servers[1].applied, err: NoNode }])
    pair.carryOut(pair.servers[1].synced(pair.syncs[0] as number))
    expect(pair.seen(1)).toEqual([])
    pair.commit(1)
    expect(pair.frames.get(1)).toHaveLength(1)
    expect(pair.seen(1).map(({ xid, err }) => [xid, err])).toEqual([2, 3, 4, 5].map((xid) => [xid, 0]))
    pair.commit()
    expect(pair.seen(1)).toEqual([{ xid: 6, zxid: pair.servers[1].applied, err: NodeExists }])
  })

  it('sends no write on its way while a sync stands before it: it could come back first', () => {
    const pair = new Pair()
    pair.session(1, 1)
    pair.ask(1, 1, [1, sync], [2, create('/a')], [3, get('/a')], [4, sync], [5, create('/b')])
    pair.commit()
    expect(pair.seen(1)).toEqual([])
    const answerSync = (): void => pair.carryOut(pair.servers[1].synced(pair.syncs.shift() as number))
    const steps = [answerSync, () => pair.commit(), answerSync, () => pair.commit()].map((step) => {
      step()
      return pair.seen(1).map(({ xid, err }) => [xid, err])
    })
    expect(steps).toEqual([
      [[1, 0]],
      [
        [2, 0],
        [3, 0],
      ],
      [[4, 0]],
      [[5, 0]],
    ])
  })

  it('answers pings at once', () => {
    const pair = new Pair()
    pair.session(1, 1)
    pair.ask(1, 1, [1, create('/a')], [-2, { kind: 'ping' }])
    expect(pair.seen(1).map(({ xid }) => xid)).toEqual([-2])
  })
})

describe('what ZooKeeper refuses', () => {
  const watches = (type: number): Request => ({ kind: 'removeWatches', path: '/', type })
  const { BadArguments, MarshallingError, NoWatcher, AuthFailed } = ERROR_CODES
  it.each<[string, Request, number]>([
    ['a time to live for a node that has none', { ...create('/a'), kind: 'createTTL', ttl: 5 }, BadArguments],
    ['an unknown mode of watches', { kind: 'addWatch', path: '/', mode: 7 }, MarshallingError],
    ['an unknown kind of watches', watches(4), MarshallingError],
    ['watches that are not there', watches(3), NoWatcher],
    ['a secret that is null', { kind: 'auth', type: 0, scheme: 'digest', auth: null }, AuthFailed],
  ])('is refused by the same code: %s', (_, request, code) => {
    const pair = new Pair()
    pair.session(0, 1)
    pair.ask(0, 1, [1, request])
    pair.commit()
    expect(pair.seen(1).map(({ err }) => err)).toEqual([code])
  })
})

describe('watches', () => {
  it('fire before the reply that shows the change, once, with its zxid', () => {
    const pair = new Pair()
    pair.session(0, 1)
    pair.session(1, 2)
    pair.ask(1, 2, [1, exists('/a', true)], [2, { kind: 'getChildren', path: '/', watch: true }])
    pair.seen(2)
    pair.ask(0, 1, [1, create('/a')], [2, create('/b')])
    pair.ask(1, 2, [3, create('/c')], [4, get('/a')])
    pair.commit()
    const first = pair.servers[1].applied - 2
    expect(pair.seen(2)).toEqual([
      { xid: -1, zxid: first, err: 0, event: '/a' },
      { xid: -1, zxid: first, err: 0, event: '/' },
      { xid: 3, zxid: first + 2, err: 0 },
      { xid: 4, zxid: first + 2, err: 0 },
    ])
    expect(pair.servers[1].status().watches).toBe(0)
  })

  it('have one mode a path in each table, the last one set (ZOOKEEPER-4466)', () => {
    const pair = new Pair()
    pair.session(0, 1)
    pair.ask(0, 1, [1, { kind: 'addWatch', path: '/a', mode: 0 }], [2, exists('/a', true)])
    pair.seen(1)
    const set: Request = { kind: 'setData', path: '/a', data: null, version: -1 }
    pair.ask(0, 1, [4, create('/a')], [5, set], [6, create('/a/b')])
    pair.commit()
    expect(pair.seen(1).map(({ event, xid }) => event ?? xid)).toEqual(['/a', 4, 5, '/a', 6])
    pair.ask(
      0,
      1,
      [7, { kind: 'removeWatches', path: '/a', type: 3 }],
      [8, { kind: 'removeWatches', path: '/a', type: 3 }],
    )
    expect(pair.seen(1).map(({ err }) => err)).toEqual([0, ERROR_CODES.NoWatcher])
    pair.carryOut(pair.servers[0].connectionClosed(1))
    expect(pair.servers[0].status().watches).toBe(0)
  })
})

describe('sessions', () => {
  it('move to another replica; what the former connection still asks is refused', () => {
    const pair = new Pair()
    const { sessionId, passwd, timeOut } = pair.session(1, 1)
    expect(timeOut).toBe(4000)
    pair.ask(1, 1, [1, create('/e', 1)])
    pair.commit()
    pair.seen(1)
    pair.connect(0, 2, sessionId, passwd)
    pair.ask(1, 1, [2, create('/stale')])
    pair.commit(1)
    expect(pair.connected(2)).toMatchObject({ sessionId, timeOut: 4000 })
    expect(pair.closed.get(1)).toBe('session moved')
    pair.commit()
    expect(pair.seen(1)).toEqual([])
    pair.ask(0, 2, [1, exists('/stale')], [2, exists('/e')])
    expect(pair.seen(2).map(({ err }) => err)).toEqual([NoNode, 0])
    expect(pair.servers[0].digest).toBe(pair.servers[1].digest)
  })

  it('are over for a wrong password, an unknown id, or after their end', () => {
    const pair = new Pair()
    const { sessionId, passwd } = pair.session(0, 1)
    for (const [id, session, password] of [
      [2, sessionId, passwd.map((byte) => byte ^ 1)] as const,
      [3, 77n, passwd] as const,
    ]) {
      pair.connect(1, id, session, password)
      pair.commit()
      expect(pair.connected(id)).toMatchObject({ sessionId: 0n, timeOut: 0 })
      expect(pair.closed.has(id)).toBe(true)
    }
    expect(pair.closed.has(1)).toBe(false)
    pair.ask(0, 1, [1, { kind: 'closeSession' }])
    pair.commit()
    expect(pair.seen(1)).toMatchObject([{ xid: 1, err: 0 }])
    expect(pair.closed.get(1)).toBe('session closed')
    pair.connect(1, 4, sessionId, passwd)
    pair.commit()
    expect(pair.connected(4).timeOut).toBe(0)
  })

  it('expire at the leader when silent, not while they are touched anywhere', () => {
    const pair = new Pair()
    const { sessionId } = pair.session(1, 1)
    pair.session(1, 2)
    pair.ask(1, 1, [1, create('/e', 1)])
    pair.commit()
    pair.servers[1].touched()
    for (let i = 0; i < 12; i++) {
      pair.now += 500
      pair.ask(1, 2, [-2, { kind: 'ping' }])
      pair.servers[0].touch(pair.servers[1].touched(), pair.now)
      pair.carryOut(pair.servers[0].ticked(pair.now, 0))
      pair.commit()
    }
    expect(pair.closed.get(1)).toBe('session closed')
    expect(pair.closed.has(2)).toBe(false)
    expect(pair.servers[0].status().sessions.map(({ id }) => id)).not.toContain(sessionId)
    expect(pair.servers[0].status().znodes).toBe(4)
  })

  it('live on by what they ask for, even if it cannot be done', () => {
    const pair = new Pair()
    pair.session(1, 1)
    for (let i = 1; i <= 3; i++) {
      pair.now += 3000
      pair.ask(1, 1, [i, create('/missing/a')])
      pair.commit()
      pair.carryOut(pair.servers[0].ticked(pair.now, 0))
      pair.commit()
    }
    expect(pair.seen(1).map(({ err }) => err)).toEqual([NoNode, NoNode, NoNode])
    expect(pair.closed.has(1)).toBe(false)
  })

  it('leave nothing behind that has outlived its use', () => {
    const pair = new Pair()
    pair.session(0, 1)
    pair.ask(0, 1, [1, { ...create('/c', 4), kind: 'createContainer' }], [2, create('/c/x')])
    pair.ask(0, 1, [3, { ...create('/t', 5), kind: 'createTTL', ttl: 1000 }], [4, create('/stays')])
    pair.ask(0, 1, [5, { kind: 'delete', path: '/c/x', version: -1 }])
    pair.commit()
    const before = pair.servers[0].status().znodes
    const [later, wall] = [pair.now + TIMES.reap, pair.now + TIMES.reap]
    expect(pair.servers[0].ticked(later - 1, wall).filter(({ kind }) => kind === 'request')).toHaveLength(1)
    pair.carryOut(pair.servers[0].ticked(later, wall))
    pair.commit()
    expect(pair.servers[0].status().znodes).toBe(before - 2)
  })

  it('get a full timeout from a new leader', () => {
    const pair = new Pair()
    pair.session(1, 1)
    pair.now += 60_000
    pair.servers[1].startLeading(pair.now)
    expect(pair.servers[1].ticked(pair.now + 3900, 0)).toEqual([])
    expect(pair.servers[1].ticked(pair.now + 4300, 0)).toHaveLength(1)
    expect(pair.servers[1].ticked(pair.now + 9000, 0)).toEqual([])
  })
})

describe('connections', () => {
  it('are refused for a client that has seen a later state, and while not serving', () => {
    const pair = new Pair()
    pair.connect(1, 1, 0n, new Uint8Array(16), 2 ** 40)
    expect(pair.closed.has(1)).toBe(true)
    pair.session(1, 2)
    pair.ask(1, 2, [1, create('/a')])
    pair.carryOut(pair.servers[1].serving(false))
    expect(pair.closed.get(2)).toBe('not serving')
    pair.commit()
    expect(pair.seen(2)).toEqual([])
    pair.connect(1, 3)
    expect(pair.closed.get(3)).toBe('not serving')
  })

  it('close on bytes that are no request; nobody else notices', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.boolean(), (bytes, framed) => {
        const pair = new Pair()
        pair.session(1, 1)
        pair.session(1, 2)
        if (framed) pair.frame(1, 2, bytes)
        else pair.carryOut(pair.servers[1].received(2, bytes, pair.now, () => new Uint8Array(32)))
        pair.carryOut(pair.servers[1].connectionOpened(3, { from: 'peer', address: '' }))
        pair.frame(1, 3, bytes)
        pair.commit()
        pair.ask(1, 1, [1, create('/still')])
        pair.commit()
        expect(pair.seen(1).at(-1)).toMatchObject({ xid: 1, err: 0 })
      }),
      { numRuns: 100 },
    )
  })

  it('tell the negotiated timeout', () => {
    const pair = new Pair()
    pair.carryOut(pair.servers[0].connectionOpened(1, { from: 'tcp', address: '10.0.0.1' }))
    const connect = { protocolVersion: 0, lastZxidSeen: 0, timeOut: 1, sessionId: 0n as never, readOnly: false }
    pair.frame(0, 1, encodeConnectRequest({ ...connect, passwd: new Uint8Array(16) }))
    pair.commit()
    expect(pair.connected(1).timeOut).toBe(TIMES.sessionTimeoutMin)
  })
})
