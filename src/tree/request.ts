import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { DecodeError, decode, type Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import type { Identity } from './acl.ts'

/** What a replica asks of the leader: all that `prepare` must know, wherever the request came from. */
export type LeaderRequest =
  /** A client's packet as it came: xid, opcode, record. */
  | {
      readonly kind: 'client'
      readonly session: SessionId
      readonly origin: number
      readonly who: readonly Identity[]
      readonly packet: Uint8Array
      /** Not null: its xid is its number in the session's line, and replies up to this one were read. */
      readonly seen: number | null
    }
  /** A new session; id and password were drawn by the replica. */
  | {
      readonly kind: 'createSession'
      readonly session: SessionId
      readonly origin: number
      readonly timeout: number
      readonly password: Uint8Array
      /** Of the client's request numbers; 0: it does not number them. */
      readonly line: number
    }
  /** A client came back, or to another replica: from here on the session answers to this origin. */
  | {
      readonly kind: 'moveSession'
      readonly session: SessionId
      readonly origin: number
      readonly timeout: number
      readonly password: Uint8Array
      readonly line: number
    }
  /** The session expired, or its page is surely gone. */
  | { readonly kind: 'endSession'; readonly session: SessionId }
  /** Delete an empty container or an outlived TTL node, if it is still the one that was seen. */
  | { readonly kind: 'reap'; readonly path: string; readonly czxid: Zxid; readonly mzxid: Zxid }

const KINDS = ['client', 'createSession', 'moveSession', 'endSession', 'reap'] as const

export function encodeLeaderRequest(request: LeaderRequest): Uint8Array<ArrayBuffer> {
  const writer = new Writer(64 + (request.kind === 'client' ? request.packet.length : 0))
  writer.byte(KINDS.indexOf(request.kind))
  switch (request.kind) {
    case 'client':
      writer.bigLong(request.session).long(request.origin)
      writer.vector(request.who, (to, { scheme, id }) => to.string(scheme).string(id))
      writer.buffer(request.packet)
      if (request.seen !== null) writer.int(request.seen)
      break
    case 'createSession':
    case 'moveSession':
      writer.bigLong(request.session).long(request.origin).int(request.timeout).buffer(request.password)
      if (request.line !== 0) writer.long(request.line)
      break
    case 'endSession':
      writer.bigLong(request.session)
      break
    case 'reap':
      writer.string(request.path).long(request.czxid).long(request.mzxid)
      break
  }
  return writer.pack()
}

/** Throws DecodeError. */
export const decodeLeaderRequest = (bytes: Uint8Array): LeaderRequest => decode(bytes, readLeaderRequest)

function readLeaderRequest(reader: Reader): LeaderRequest {
  const code = reader.byte()
  const kind = KINDS[code]
  const session = (): SessionId => reader.bigLong() as SessionId
  switch (kind) {
    case 'client':
      return {
        kind,
        session: session(),
        origin: reader.long(),
        who: reader.vector((from) => ({ scheme: from.text(), id: from.text() }), 8),
        packet: reader.bytes(),
        seen: reader.remaining > 0 ? reader.int() : null,
      }
    case 'createSession':
    case 'moveSession':
      return {
        kind,
        session: session(),
        origin: reader.long(),
        timeout: reader.int(),
        password: reader.bytes(),
        line: reader.remaining > 0 ? reader.long() : 0,
      }
    case 'endSession':
      return { kind, session: session() }
    case 'reap':
      return { kind, path: reader.text(), czxid: reader.long() as Zxid, mzxid: reader.long() as Zxid }
    default:
      throw new DecodeError(`request kind ${code}`)
  }
}
