import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeConnectRequest,
  decodeConnectResponse,
  decodeEvent,
  decodeReply,
  decodeRequest,
  decodeResponse,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeEvent,
  encodeReply,
  encodeRequest,
} from '../../../src/jute/protocol.ts'
import { DecodeError } from '../../../src/jute/reader.ts'
import type { ResponseKind } from '../../../src/jute/responses.ts'
import { connectRequest, connectResponse, event, header, request, responses, xid } from './arbitraries.ts'

/** Plain arrays and objects, so that views and prototypes do not matter. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => {
      if (typeof each === 'bigint') return `${each}n`
      return each instanceof Uint8Array ? Array.from(each) : each
    }),
  )

const KINDS = Object.keys(responses) as ResponseKind[]

describe('what is written is read', () => {
  test('requests', () => {
    fc.assert(
      fc.property(xid, request, (id, asked) => {
        expect(plain(decodeRequest(encodeRequest(id, asked)))).toEqual(plain({ xid: id, request: asked }))
      }),
      { numRuns: 1000 },
    )
  })

  test.each(KINDS)('response to %s', (kind) => {
    fc.assert(
      fc.property(header, responses[kind], (head, response) => {
        const reply = decodeReply(encodeReply(head, kind, response as never))
        expect(reply.header).toEqual(head)
        expect(plain(decodeResponse(reply.body, kind))).toEqual(plain(response))
      }),
    )
  })

  test('handshake', () => {
    fc.assert(
      fc.property(connectRequest, connectResponse, (hello, welcome) => {
        expect(plain(decodeConnectRequest(encodeConnectRequest(hello)))).toEqual(plain(hello))
        expect(plain(decodeConnectResponse(encodeConnectResponse(welcome)))).toEqual(plain(welcome))
      }),
    )
  })

  test('an ACL whose id is null, as kazoo sends an empty one', () => {
    const setACL = { kind: 'setACL', path: '/a', acl: [{ perms: 31, scheme: 'auth', id: '' }], version: -1 } as const
    const bytes = encodeRequest(1, setACL)
    const idAt = bytes.length - 8
    expect([...bytes.subarray(idAt)]).toEqual([0, 0, 0, 0, 255, 255, 255, 255])
    bytes.fill(255, idAt, idAt + 4)
    expect(plain(decodeRequest(bytes).request)).toEqual(plain(setACL))
  })

  test('a prefix or a scheme that is null as an empty one', () => {
    const prefix = encodeRequest(1, { kind: 'getEphemerals', prefixPath: '' })
    expect(plain(decodeRequest(prefix.fill(255, -4)).request)).toMatchObject({ prefixPath: '' })
    const auth = encodeRequest(1, { kind: 'auth', type: 0, scheme: '', auth: null })
    expect(plain(decodeRequest(auth.fill(255, -8)).request)).toMatchObject({ scheme: '', auth: null })
  })

  test('a handshake without the read-only byte, as clients before 3.4 send it', () => {
    const hello = { protocolVersion: 0, lastZxidSeen: 5, timeOut: 3000, sessionId: 0n, passwd: new Uint8Array(16) }
    const bytes = encodeConnectRequest({ ...hello, readOnly: true } as never)
    expect(decodeConnectRequest(bytes.subarray(0, -1))).toEqual({ ...hello, readOnly: false })
  })

  test('events', () => {
    fc.assert(
      fc.property(event, (happened) => {
        const { header: head, body } = decodeReply(encodeEvent(happened, 77))
        expect(head).toEqual({ xid: -1, zxid: 77, err: 0 })
        expect(decodeEvent(body)).toEqual(happened)
      }),
    )
  })
})

describe('bytes that are wrong', () => {
  const survives = (read: () => unknown): void => {
    try {
      read()
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
    }
  }
  const mutation = fc.record({
    at: fc.nat(),
    to: fc.integer({ min: 0, max: 255 }),
    cut: fc.option(fc.nat()),
    more: fc.uint8Array({ maxLength: 5 }),
  })
  const mutate = (
    bytes: Uint8Array,
    { at, to, cut, more }: { at: number; to: number; cut: number | null; more: Uint8Array },
  ) => {
    const changed = Uint8Array.from([...bytes, ...more])
    if (changed.length > 0) changed[at % changed.length] = to
    return cut === null ? changed : changed.subarray(0, cut % (changed.length + 1))
  }

  test('a mutated request is refused with DecodeError or is another request', () => {
    fc.assert(
      fc.property(request, mutation, (asked, change) => {
        const bytes = mutate(encodeRequest(1, asked), change)
        survives(() => decodeRequest(bytes))
        survives(() => decodeConnectRequest(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test('a mutated response too', () => {
    const any = fc.constantFrom(...KINDS).chain((kind) => fc.tuple(fc.constant(kind), responses[kind]))
    fc.assert(
      fc.property(any, mutation, ([kind, response], change) => {
        const bytes = mutate(encodeReply({ xid: 1, zxid: 1, err: 0 }, kind, response as never), change)
        survives(() => decodeResponse(decodeReply(bytes).body, kind))
        survives(() => decodeEvent(bytes))
        survives(() => decodeConnectResponse(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test('trailing bytes are refused', () => {
    const bytes = encodeRequest(1, { kind: 'sync', path: '/' })
    expect(() => decodeRequest(Uint8Array.from([...bytes, 0]))).toThrow(DecodeError)
  })
})

/** Taken from ZooKeeper's wire format: big-endian, ustring with 4-byte length, buffer −1 for null. */
test('the layout is ZooKeeper’s', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  expect(hex(encodeRequest(1, { kind: 'getData', path: '/a', watch: true }))).toBe('0000000100000004000000022f6101')
  expect(
    hex(
      encodeRequest(2, {
        kind: 'create',
        path: '/a',
        data: null,
        acl: [{ perms: 31, scheme: 'world', id: 'anyone' }],
        flags: 1,
      }),
    ),
  ).toBe('0000000200000001000000022f61ffffffff000000010000001f00000005776f726c6400000006616e796f6e6500000001')
  expect(hex(encodeRequest(3, { kind: 'multi', ops: [{ kind: 'check', path: '/a', version: -1 }] }))).toBe(
    '000000030000000e' + '0000000d00ffffffff' + '000000022f61ffffffff' + 'ffffffff01ffffffff',
  )
})
