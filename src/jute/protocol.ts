import {
  type ConnectRequest,
  type ConnectResponse,
  type ReplyHeader,
  readConnectRequest,
  readConnectResponse,
  readReplyHeader,
  readRequestHeader,
  readWatcherEvent,
  type WatcherEvent,
  writeConnectRequest,
  writeConnectResponse,
  writeReplyHeader,
  writeRequestHeader,
  writeWatcherEvent,
} from './headers.ts'
import { type MultiOp, type MultiReadOp, readMultiOps, readMultiReadOps, writeOps } from './multi.ts'
import { OPCODES, XIDS } from './opcodes.ts'
import { decode, Reader } from './reader.ts'
import { readSimple, type SimpleRequest, simpleKind, writeSimple } from './requests.ts'
import { type ResponseKind, type Responses, readResponse, writeResponse } from './responses.ts'
import { Writer } from './writer.ts'

/**
 * Whole packets of ZooKeeper's client protocol, without their 4-byte length (see packets.ts). All decoders throw DecodeError and
 * nothing else; buffers in what they return are views into the packet.
 */
export type Request =
  | SimpleRequest
  | { readonly kind: 'multi'; readonly ops: readonly MultiOp[] }
  | { readonly kind: 'multiRead'; readonly ops: readonly MultiReadOp[] }
  /** An opcode that is not ZooKeeper's, or not for clients: to be answered with Unimplemented. */
  | { readonly kind: 'unknown'; readonly type: number; readonly body: Uint8Array }

export const encodeConnectRequest = (request: ConnectRequest): Uint8Array<ArrayBuffer> =>
  packet((writer) => writeConnectRequest(writer, request))
export const decodeConnectRequest = (bytes: Uint8Array): ConnectRequest => decode(bytes, readConnectRequest)
export const encodeConnectResponse = (response: ConnectResponse): Uint8Array<ArrayBuffer> =>
  packet((writer) => writeConnectResponse(writer, response))
export const decodeConnectResponse = (bytes: Uint8Array): ConnectResponse => decode(bytes, readConnectResponse)

export const requestType = (request: Request): number =>
  request.kind === 'unknown' ? request.type : OPCODES[request.kind]

export function encodeRequest(xid: number, request: Request): Uint8Array<ArrayBuffer> {
  const writer = writeRequestHeader(new Writer(sizeHint(request)), { xid, type: requestType(request) })
  if (request.kind === 'multi' || request.kind === 'multiRead') writeOps(writer, request.ops)
  else if (request.kind === 'unknown') writer.raw(request.body)
  else writeBody(writer, request)
  return writer.pack()
}

function writeBody<K extends SimpleRequest['kind']>(writer: Writer, request: SimpleRequest<K>): void {
  writeSimple(writer, request.kind, request)
}

const sizeHint = (request: Request): number =>
  128 + ('data' in request && request.data ? request.data.length + request.path.length : 0)

export function decodeRequest(bytes: Uint8Array): { readonly xid: number; readonly request: Request } {
  return decode(bytes, (reader) => {
    const { xid, type } = readRequestHeader(reader)
    return { xid, request: readBody(reader, type) }
  })
}

function readBody(reader: Reader, type: number): Request {
  if (type === OPCODES.multi) return { kind: 'multi', ops: readMultiOps(reader) }
  if (type === OPCODES.multiRead) return { kind: 'multiRead', ops: readMultiReadOps(reader) }
  const kind = simpleKind(type)
  if (kind === undefined) return { kind: 'unknown', type, body: reader.raw(reader.remaining) }
  return readSimple(reader, kind)
}

export function encodeReply<K extends ResponseKind>(
  header: ReplyHeader,
  kind: K,
  response: Responses[K],
): Uint8Array<ArrayBuffer> {
  return packet((writer) => writeResponse(writeReplyHeader(writer, header), kind, response))
}

/** A reply that is a header only: an error. */
export const encodeError = (header: ReplyHeader): Uint8Array<ArrayBuffer> =>
  packet((writer) => writeReplyHeader(writer, header))

/** `zxid` is the change's where the server tells it, else −1. */
export const encodeEvent = (event: WatcherEvent, zxid: number): Uint8Array<ArrayBuffer> =>
  packet((writer) => writeWatcherEvent(writeReplyHeader(writer, { xid: XIDS.watchEvent, zxid, err: 0 }), event))

/** What a server sent: its header, and the bytes behind it for `decodeResponse` or `decodeEvent`. */
export function decodeReply(bytes: Uint8Array): { readonly header: ReplyHeader; readonly body: Uint8Array } {
  const reader = new Reader(bytes)
  const header = readReplyHeader(reader)
  return { header, body: reader.raw(reader.remaining) }
}

export const decodeResponse = <K extends ResponseKind>(body: Uint8Array, kind: K): Responses[K] =>
  decode(body, (reader) => readResponse(reader, kind))

export const decodeEvent = (body: Uint8Array): WatcherEvent => decode(body, readWatcherEvent)

function packet(write: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  write(writer)
  return writer.pack()
}
