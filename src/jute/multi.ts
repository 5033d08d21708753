import { OPCODES } from './opcodes.ts'
import { DecodeError, type Reader } from './reader.ts'
import { type StatRecord, statCodec, stringsCodec } from './records.ts'
import { readSimple, type SimpleRecords, type SimpleRequest, simpleKind, writeSimple } from './requests.ts'
import type { Writer } from './writer.ts'

const WRITES = ['create', 'create2', 'createContainer', 'createTTL', 'delete', 'setData', 'check'] as const
const READS = ['getData', 'getChildren'] as const

export type MultiOp = SimpleRequest<(typeof WRITES)[number]>
export type MultiReadOp = SimpleRequest<(typeof READS)[number]>

/** ZooKeeper's MultiHeader stands before each record, and, with `done`, at the end. */
const header = (writer: Writer, type: number, done: boolean, err: number): Writer =>
  writer.int(type).bool(done).int(err)

const finish = (writer: Writer): Writer => header(writer, -1, true, -1)

const readHeader = (reader: Reader): { type: number; done: boolean; err: number } => ({
  type: reader.int(),
  done: reader.bool(),
  err: reader.int(),
})

/** ZooKeeper: MultiOperationRecord. */
export function writeOps(writer: Writer, ops: readonly (MultiOp | MultiReadOp)[]): void {
  for (const op of ops) {
    header(writer, OPCODES[op.kind], false, -1)
    writeSimple(writer, op.kind, op as SimpleRecords[typeof op.kind])
  }
  finish(writer)
}

function readOps<K extends MultiOp['kind'] | MultiReadOp['kind']>(
  reader: Reader,
  kinds: readonly K[],
): SimpleRequest<K>[] {
  const ops: SimpleRequest<K>[] = []
  for (;;) {
    const { type, done } = readHeader(reader)
    if (done) return ops
    const kind = kinds.find((each) => OPCODES[each] === type)
    if (kind === undefined) throw new DecodeError(`no operation ${simpleKind(type) ?? type} here`)
    ops.push(readSimple(reader, kind))
  }
}

export const readMultiOps = (reader: Reader): readonly MultiOp[] => readOps(reader, WRITES)
export const readMultiReadOps = (reader: Reader): readonly MultiReadOp[] => readOps(reader, READS)

/** One result of a `multi` or `multiRead`. Of a failed `multi` all are `error`, with 0 before the one that failed. */
export type MultiResult =
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'create2'; readonly path: string; readonly stat: StatRecord }
  | { readonly kind: 'delete' }
  | { readonly kind: 'setData'; readonly stat: StatRecord }
  | { readonly kind: 'check' }
  | { readonly kind: 'getData'; readonly data: Uint8Array | null; readonly stat: StatRecord }
  | { readonly kind: 'getChildren'; readonly children: readonly string[] }
  /** `err` as in ERROR_CODES. */
  | { readonly kind: 'error'; readonly err: number }

/** ZooKeeper: MultiResponse. */
export function writeResults(writer: Writer, results: readonly MultiResult[]): void {
  for (const result of results) {
    header(writer, OPCODES[result.kind], false, result.kind === 'error' ? result.err : 0)
    writeResult(writer, result)
  }
  finish(writer)
}

function writeResult(writer: Writer, result: MultiResult): void {
  switch (result.kind) {
    case 'create':
      writer.string(result.path)
      break
    case 'create2':
      writer.string(result.path)
      statCodec.write(writer, result.stat)
      break
    case 'setData':
      statCodec.write(writer, result.stat)
      break
    case 'getData':
      writer.buffer(result.data)
      statCodec.write(writer, result.stat)
      break
    case 'getChildren':
      stringsCodec.write(writer, result.children)
      break
    case 'error':
      writer.int(result.err)
      break
    case 'delete':
    case 'check':
      break
  }
}

export function readResults(reader: Reader): readonly MultiResult[] {
  const results: MultiResult[] = []
  for (;;) {
    const { type, done } = readHeader(reader)
    if (done) return results
    results.push(readResult(reader, type))
  }
}

function readResult(reader: Reader, type: number): MultiResult {
  switch (type) {
    case OPCODES.create:
      return { kind: 'create', path: reader.text() }
    case OPCODES.create2:
    case OPCODES.createContainer:
    case OPCODES.createTTL:
      return { kind: 'create2', path: reader.text(), stat: statCodec.read(reader) }
    case OPCODES.delete:
      return { kind: 'delete' }
    case OPCODES.setData:
      return { kind: 'setData', stat: statCodec.read(reader) }
    case OPCODES.check:
      return { kind: 'check' }
    case OPCODES.getData:
      return { kind: 'getData', data: reader.buffer(), stat: statCodec.read(reader) }
    case OPCODES.getChildren:
      return { kind: 'getChildren', children: stringsCodec.read(reader) }
    case OPCODES.error:
      return { kind: 'error', err: reader.int() }
    default:
      throw new DecodeError(`no result of type ${type}`)
  }
}
