import { isZxid, type Zxid } from '../base/zxid.ts'
import { DecodeError, decode, type Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import { ENTRY_KINDS, type Entry } from './entry.ts'

/** zxid, kind, length of the bytes. */
const HEADER_BYTES = 8 + 1 + 4

/** A zxid from outside: within the range of epochs. 0 is allowed. */
export function readZxid(reader: Reader): Zxid {
  const value = reader.long()
  if (!isZxid(value)) throw new DecodeError(`${value} is no zxid`)
  return value
}

function writeEntry(writer: Writer, entry: Entry): void {
  writer.long(entry.zxid).byte(ENTRY_KINDS.indexOf(entry.kind)).buffer(entry.bytes)
}

/** The bytes of what is read are a view into the reader's input. */
function readEntry(reader: Reader): Entry {
  const zxid = readZxid(reader)
  if (zxid === 0) throw new DecodeError('an entry with zxid 0')
  const code = reader.byte()
  const kind = ENTRY_KINDS[code]
  if (kind === undefined) throw new DecodeError(`entry kind ${code}`)
  return { zxid, kind, bytes: reader.bytes() }
}

export function writeOptionalEntry(writer: Writer, entry: Entry | null): void {
  writer.bool(entry !== null)
  if (entry !== null) writeEntry(writer, entry)
}

export function readOptionalEntry(reader: Reader): Entry | null {
  return reader.bool() ? readEntry(reader) : null
}

export function writeEntries(writer: Writer, entries: readonly Entry[]): void {
  writer.vector(entries, writeEntry)
}

/** A batch ascends strictly; whether it may stand behind a given log is for its receiver to say. */
export function readEntries(reader: Reader): Entry[] {
  const entries = reader.vector(readEntry, HEADER_BYTES)
  for (let i = 1; i < entries.length; i++) {
    if ((entries[i] as Entry).zxid <= (entries[i - 1] as Entry).zxid) throw new DecodeError('entries do not ascend')
  }
  return entries
}

/** The exact size of what `writeEntries` writes. */
export function entriesLength(entries: readonly Entry[]): number {
  let length = 4
  for (const entry of entries) length += HEADER_BYTES + entry.bytes.length
  return length
}

/** A batch as one run of bytes: one log record, or the body of a proposal. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer(entriesLength(entries))
  writeEntries(writer, entries)
  return writer.finish()
}

/** Throws DecodeError. */
export const decodeEntries = (bytes: Uint8Array): Entry[] => decode(bytes, readEntries)
