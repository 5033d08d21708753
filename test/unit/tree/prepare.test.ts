import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { MultiOp } from '../../../src/jute/multi.ts'
import type { Request } from '../../../src/jute/protocol.ts'
import { DecodeError } from '../../../src/jute/reader.ts'
import { decodeTxn } from '../../../src/jute/txns.ts'
import { OPEN_ACL } from '../../../src/tree/acl.ts'
import type { Znode } from '../../../src/tree/znode.ts'
import { A, B, create, Machine, nodesOf } from './ensemble.ts'

const names = ['a', 'b', 'a/x', 'b/x', 'a/x/y', 's-']
const op: fc.Arbitrary<MultiOp> = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    path: fc.constantFrom(...names).map((name) => `/${name}`),
    data: fc.option(fc.uint8Array({ maxLength: 9 })),
    acl: fc.constant(OPEN_ACL),
    flags: fc.constantFrom(0, 0, 1, 2, 3, 4),
  }),
  fc.record({
    kind: fc.constant('delete' as const),
    path: fc.constantFrom(...names).map((name) => `/${name}`),
    version: fc.constantFrom(-1, -1, 0, 1),
  }),
  fc.record({
    kind: fc.constant('setData' as const),
    path: fc.constantFrom(...names).map((name) => `/${name}`),
    data: fc.option(fc.uint8Array({ maxLength: 9 })),
    version: fc.constantFrom(-1, -1, 0, 1),
  }),
)
const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 4, arbitrary: op },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('multi' as const), ops: fc.array(op, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'closeSession' as const }) },
)

describe('prepare', () => {
  it('makes the same txns whether earlier ones are applied or still outstanding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(A, B), request), { maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        (requests, lag) => {
          const prompt = Machine.withSessions()
          const late = Machine.withSessions()
          for (const [session, asked] of requests) {
            expect(late.request(session, asked)).toEqual(prompt.request(session, asked))
            prompt.applyAll()
            late.applyAll(lag)
          }
          late.applyAll()
          expect(late.state.digest).toBe(prompt.state.digest)
          expect(nodesOf(late.state)).toEqual(nodesOf(prompt.state))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('undoes a failed multi completely: parents and their counters too', () => {
    const machine = Machine.withSessions()
    machine.request(A, create('/p'))
    const ops = [create('/p/n-', 2), create('/p/n-', 2), { kind: 'delete' as const, path: '/none', version: -1 }]
    const { RuntimeInconsistency, NoNode } = ERROR_CODES
    expect(machine.request(A, { kind: 'multi', ops: [...ops, create('/q')] }).body).toEqual({
      kind: 'error',
      code: NoNode,
      codes: [0, 0, NoNode, RuntimeInconsistency],
    })
    expect(machine.request(A, create('/p/n-', 2)).body).toMatchObject({ path: '/p/n-0000000000', parentCreates: 1 })
    machine.applyAll()
    expect(machine.state.tree.get('/p')?.stat()).toMatchObject({ numChildren: 1, cversion: 1 })
  })

  it('lists a closed session’s ephemerals, outstanding ones too, and refuses what it asks later', () => {
    const machine = Machine.withSessions()
    machine.request(A, create('/old', 1))
    machine.request(A, create('/gone', 1))
    machine.applyAll()
    machine.request(A, create('/new', 1))
    machine.request(B, { kind: 'delete', path: '/gone', version: -1 })
    expect(machine.ask({ kind: 'endSession', session: A }).body).toEqual({
      kind: 'closeSession',
      paths: ['/old', '/new'],
    })
    expect(machine.request(A, create('/late', 1)).body).toMatchObject({ code: ERROR_CODES.SessionExpired })
    machine.applyAll()
    expect(machine.state.tree.size).toBe(4)
    expect(machine.state.sessions.get(A)).toBeUndefined()
  })

  it('refuses ephemerals of a dead session when they are applied, too', () => {
    const machine = Machine.withSessions()
    const late = machine.request(A, create('/late', 1))
    machine.applyAll()
    machine.request(A, { kind: 'closeSession' })
    machine.applyAll()
    const applied = machine.state.apply(machine.state.applied, late)
    expect(applied).toMatchObject({ error: ERROR_CODES.SessionExpired, changes: [] })
    expect(machine.state.tree.get('/late')).toBeUndefined()
  })

  it('moves a session only with its password, and then refuses its former connection', () => {
    const machine = Machine.withSessions()
    const move = { kind: 'moveSession', session: A, origin: 99, timeout: 7000, line: 0 } as const
    expect(machine.ask({ ...move, password: new Uint8Array(16).fill(1) }).body).toMatchObject({
      code: ERROR_CODES.SessionExpired,
    })
    expect(machine.ask({ ...move, password: new Uint8Array(16) }).body.kind).toBe('moveSession')
    expect(machine.request(A, create('/stale')).body).toMatchObject({ code: ERROR_CODES.SessionMoved })
    machine.applyAll()
    expect(machine.state.sessions.get(A)).toMatchObject({ origin: 99, timeout: 7000 })
  })

  it('reaps only the node that was seen', () => {
    const machine = Machine.withSessions()
    machine.request(A, create('/c', 4))
    machine.applyAll()
    const { czxid, mzxid } = machine.state.tree.get('/c') as Znode
    machine.request(A, { kind: 'setData', path: '/c', data: null, version: -1 })
    expect(machine.ask({ kind: 'reap', path: '/c', czxid, mzxid }).body.kind).toBe('error')
  })

  it('answers any bytes with a txn', () => {
    const machine = Machine.withSessions()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        machine.prepare(bytes)
        machine.ask({ kind: 'client', session: A, origin: Number(A), who: [], packet: bytes, seen: null })
        machine.applyAll()
      }),
    )
    expect(machine.state.tree.get('/')).toBeDefined()
  })

  it('never lets a version become −1', () => {
    const machine = Machine.withSessions()
    const set = { kind: 'setData', path: '/', data: null, version: -1 } as const
    machine.state.tree.setData('/', null, -2, machine.state.applied, 0)
    expect(machine.request(A, set).body).toMatchObject({ version: 0 })
  })
})

describe('txns', () => {
  it('reject bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodeTxn(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
    )
  })
})
