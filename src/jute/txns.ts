import type { SessionId } from '../base/ids.ts'
import { DecodeError, decode, type Reader } from './reader.ts'
import { type AclRecord, aclCodec, stringsCodec } from './records.ts'
import { Writer } from './writer.ts'

/** A change of one znode, as a result and not an operation: applying it needs no decision. ZooKeeper: CreateTxn and its like. */
export type TreeTxn =
  | {
      readonly kind: 'create'
      /** With its sequence number. */
      readonly path: string
      readonly data: Uint8Array | null
      readonly acl: readonly AclRecord[]
      /** Persistent 0n; ephemeral: the session; container and TTL as in tree/owner.ts. */
      readonly owner: bigint
      /** How many children the parent has seen created, this one included. */
      readonly parentCreates: number
    }
  | { readonly kind: 'delete'; readonly path: string }
  /** `version`: the new one. */
  | { readonly kind: 'setData'; readonly path: string; readonly data: Uint8Array | null; readonly version: number }
  /** `version`: the new aversion. */
  | { readonly kind: 'setACL'; readonly path: string; readonly acl: readonly AclRecord[]; readonly version: number }
  | { readonly kind: 'check' }

export type TxnBody =
  | TreeTxn
  | { readonly kind: 'multi'; readonly ops: readonly TreeTxn[] }
  /** `line`: of its request numbers, 0 for none (see tree/replies.ts). */
  | { readonly kind: 'createSession'; readonly timeout: number; readonly password: Uint8Array; readonly line: number }
  /** The session answers to the txn's origin from here on. */
  | { readonly kind: 'moveSession'; readonly timeout: number; readonly line: number }
  /** The ephemerals to delete, listed when the txn was made. */
  | { readonly kind: 'closeSession'; readonly paths: readonly string[] }
  /** What could not be done: an ERROR_CODES number, and of a `multi` one number per operation. */
  | { readonly kind: 'error'; readonly code: number; readonly codes: readonly number[] }
  /** Asked before under the same number: to be answered as it was, and not done again. */
  | { readonly kind: 'again' }

/** One record of the replicated log. */
export interface Txn {
  /** The session that asked (or that is closed). */
  readonly session: SessionId
  /** The request's number within its connection. */
  readonly cxid: number
  /** Names the connection that asked: a random number below 2^48, drawn by its replica; 0: no connection. */
  readonly origin: number
  /** The leader's wall clock, milliseconds. */
  readonly time: number
  /** Not null: `cxid` numbers the request within the session's line, and replies up to this number were read. */
  readonly seen: number | null
  readonly body: TxnBody
}

const KINDS = [
  'create',
  'delete',
  'setData',
  'setACL',
  'check',
  'multi',
  'createSession',
  'moveSession',
  'closeSession',
  'error',
  'again',
] as const satisfies readonly TxnBody['kind'][]

function writeBody(writer: Writer, body: TxnBody): void {
  writer.byte(KINDS.indexOf(body.kind))
  switch (body.kind) {
    case 'create':
      writer.string(body.path).buffer(body.data)
      aclCodec.write(writer, body.acl)
      writer.bigLong(body.owner).int(body.parentCreates)
      break
    case 'delete':
      writer.string(body.path)
      break
    case 'setData':
      writer.string(body.path).buffer(body.data).int(body.version)
      break
    case 'setACL':
      writer.string(body.path)
      aclCodec.write(writer, body.acl)
      writer.int(body.version)
      break
    case 'check':
    case 'again':
      break
    case 'multi':
      writer.vector(body.ops, writeBody)
      break
    case 'createSession':
      writer.int(body.timeout).buffer(body.password)
      if (body.line !== 0) writer.long(body.line)
      break
    case 'moveSession':
      writer.int(body.timeout)
      if (body.line !== 0) writer.long(body.line)
      break
    case 'closeSession':
      stringsCodec.write(writer, body.paths)
      break
    case 'error':
      writer.int(body.code).vector(body.codes, (to, code) => to.int(code))
      break
  }
}

/** Stands before the body of a numbered request's txn, with what was seen. */
const NUMBERED = 0x80

function readKind(reader: Reader, code = reader.byte()): TxnBody['kind'] {
  const kind = KINDS[code]
  if (kind === undefined) throw new DecodeError(`txn kind ${code}`)
  return kind
}

function readTreeTxn(reader: Reader, kind = readKind(reader)): TreeTxn {
  switch (kind) {
    case 'create':
      return {
        kind,
        path: reader.text(),
        data: reader.buffer(),
        acl: aclCodec.read(reader),
        owner: reader.bigLong(),
        parentCreates: reader.int(),
      }
    case 'delete':
      return { kind, path: reader.text() }
    case 'setData':
      return { kind, path: reader.text(), data: reader.buffer(), version: reader.int() }
    case 'setACL':
      return { kind, path: reader.text(), acl: aclCodec.read(reader), version: reader.int() }
    case 'check':
      return { kind }
    default:
      throw new DecodeError(`txn kind ${kind} within a multi`)
  }
}

/** Absent where there is none: logs from before it was invented. */
const readLine = (reader: Reader): number => (reader.remaining > 0 ? reader.long() : 0)

function readNumbered(reader: Reader): Pick<Txn, 'seen' | 'body'> {
  const code = reader.byte()
  if (code !== NUMBERED) return { seen: null, body: readBody(reader, readKind(reader, code)) }
  return { seen: reader.int(), body: readBody(reader, readKind(reader)) }
}

function readBody(reader: Reader, kind: TxnBody['kind']): TxnBody {
  switch (kind) {
    case 'multi':
      return { kind, ops: reader.vector((from) => readTreeTxn(from)) }
    case 'createSession':
      return { kind, timeout: reader.int(), password: reader.bytes(), line: readLine(reader) }
    case 'moveSession':
      return { kind, timeout: reader.int(), line: readLine(reader) }
    case 'again':
      return { kind }
    case 'closeSession':
      return { kind, paths: stringsCodec.read(reader) }
    case 'error':
      return { kind, code: reader.int(), codes: reader.vector((from) => from.int(), 4) }
    default:
      return readTreeTxn(reader, kind)
  }
}

export function encodeTxn(txn: Txn): Uint8Array<ArrayBuffer> {
  const { body } = txn
  const writer = new Writer(128 + ('data' in body && body.data !== null ? body.data.length + body.path.length : 0))
  writer.bigLong(txn.session).int(txn.cxid).long(txn.origin).long(txn.time)
  if (txn.seen !== null) writer.byte(NUMBERED).int(txn.seen)
  writeBody(writer, body)
  return writer.pack()
}

/** Throws DecodeError. Buffers are views into the input. */
export const decodeTxn = (bytes: Uint8Array): Txn =>
  decode(bytes, (reader) => ({
    session: reader.bigLong() as SessionId,
    cxid: reader.int(),
    origin: reader.long(),
    time: reader.long(),
    ...readNumbered(reader),
  }))
