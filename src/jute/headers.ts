import type { SessionId } from '../base/ids.ts'
import { DecodeError, Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Of what our client and our server add to ZooKeeper's protocol: docs/protocol.md says what each version holds. */
export const ADDITIONS_VERSION = 1

/**
 * Behind the connect request, where ZooKeeper's server does not look. Names the line of request numbers that this client goes on with: a random
 * number below 2^48, never 0, drawn once a client.
 */
export interface Offer {
  readonly version: number
  readonly line: number
}

/** Behind the connect response of a server that takes the offer. */
export interface Grant {
  readonly version: number
  /** The server still knows what it answered on this line; false: it begins now. */
  readonly continued: boolean
}

/** The first packet of a connection, without a header. `sessionId` 0n asks for a new session. */
export interface ConnectRequest {
  readonly protocolVersion: number
  readonly lastZxidSeen: number
  /** Asked-for session timeout, milliseconds. */
  readonly timeOut: number
  readonly sessionId: SessionId
  readonly passwd: Uint8Array
  /** May the server be one that has lost its quorum? Clients before 3.4 leave the byte out. */
  readonly readOnly: boolean
  readonly offer?: Offer
}

export function writeConnectRequest(writer: Writer, request: ConnectRequest): void {
  writer.int(request.protocolVersion).long(request.lastZxidSeen).int(request.timeOut)
  writer.bigLong(request.sessionId).buffer(request.passwd).bool(request.readOnly)
  if (request.offer !== undefined) {
    writer.buffer(new Writer(12).int(request.offer.version).long(request.offer.line).finish())
  }
}

export const readConnectRequest = (reader: Reader): ConnectRequest => ({
  protocolVersion: reader.int(),
  lastZxidSeen: readZxid(reader),
  timeOut: reader.int(),
  sessionId: reader.bigLong() as SessionId,
  passwd: reader.buffer() ?? new Uint8Array(0),
  readOnly: reader.remaining > 0 && reader.bool(),
  ...(reader.remaining > 0 ? { offer: readOffer(new Reader(reader.bytes())) } : {}),
})

/** A later version may have put more behind it. */
function readOffer(reader: Reader): Offer {
  const offer = { version: reader.int(), line: reader.long() }
  if (offer.version < 1 || offer.line === 0) throw new DecodeError('an offer of nothing')
  return offer
}

/** The answer to it. `timeOut` 0: that session is over (or the password is wrong). */
export interface ConnectResponse {
  readonly protocolVersion: number
  readonly timeOut: number
  readonly sessionId: SessionId
  readonly passwd: Uint8Array
  readonly readOnly: boolean
  readonly grant?: Grant
}

export function writeConnectResponse(writer: Writer, response: ConnectResponse): void {
  writer.int(response.protocolVersion).int(response.timeOut)
  writer.bigLong(response.sessionId).buffer(response.passwd).bool(response.readOnly)
  if (response.grant !== undefined) {
    writer.buffer(new Writer(5).int(response.grant.version).bool(response.grant.continued).finish())
  }
}

export const readConnectResponse = (reader: Reader): ConnectResponse => ({
  protocolVersion: reader.int(),
  timeOut: reader.int(),
  sessionId: reader.bigLong() as SessionId,
  passwd: reader.buffer() ?? new Uint8Array(0),
  readOnly: reader.remaining > 0 && reader.bool(),
  ...(reader.remaining > 0 ? { grant: readGrant(new Reader(reader.bytes())) } : {}),
})

const readGrant = (reader: Reader): Grant => ({ version: reader.int(), continued: reader.bool() })

export interface RequestHeader {
  readonly xid: number
  /** One of OPCODES, or anything. */
  readonly type: number
}

export const writeRequestHeader = (writer: Writer, header: RequestHeader): Writer =>
  writer.int(header.xid).int(header.type)
export const readRequestHeader = (reader: Reader): RequestHeader => ({ xid: reader.int(), type: reader.int() })

export interface ReplyHeader {
  readonly xid: number
  /** The last zxid that the server had processed; −1 in watch events of servers before 3.9. */
  readonly zxid: number
  /** One of ERROR_CODES. Not 0: no record follows. */
  readonly err: number
}

export const writeReplyHeader = (writer: Writer, header: ReplyHeader): Writer =>
  writer.int(header.xid).long(header.zxid).int(header.err)
export const readReplyHeader = (reader: Reader): ReplyHeader => ({
  xid: reader.int(),
  zxid: readZxid(reader),
  err: reader.int(),
})

/** Follows a reply header with the xid −1. Numbers as in EVENT_TYPES and KEEPER_STATES. */
export interface WatcherEvent {
  readonly type: number
  readonly state: number
  readonly path: string
}

export const writeWatcherEvent = (writer: Writer, event: WatcherEvent): Writer =>
  writer.int(event.type).int(event.state).string(event.path)
export const readWatcherEvent = (reader: Reader): WatcherEvent => ({
  type: reader.int(),
  state: reader.int(),
  path: reader.text(),
})

/** A zxid, or −1. */
function readZxid(reader: Reader): number {
  const value = Number(reader.bigLong())
  if (!Number.isSafeInteger(value) || value < -1) throw new DecodeError('zxid out of range')
  return value
}
