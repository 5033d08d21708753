import { concat } from '../base/bytes.ts'
import type { SessionId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import { DecodeError, Reader } from '../jute/reader.ts'
import { aclCodec } from '../jute/records.ts'
import { Writer } from '../jute/writer.ts'
import { sharedAcl } from './acl.ts'
import type { Fork } from './fork.ts'
import { isValidPath } from './path.ts'
import type { RepliesFields } from './replies.ts'
import { readReplies, writeReplies } from './replies-codec.ts'
import type { Session } from './sessions.ts'
import type { State } from './state.ts'
import type { ZnodeFields } from './znode.ts'

const VERSION = 1
const SESSION = 1
const ZNODE = 2
const REPLIES = 3
const END = 0

/** What a snapshot says of a session. */
export interface SessionFields {
  readonly session: Session
  /** Of one with a line. */
  readonly replies: RepliesFields | undefined
}

/**
 * A snapshot's bytes, drawn chunk by chunk: one stream of records, cut every `snapshotChunkBytes`, so that a record may span chunks. Drawn once.
 */
export class SnapshotChunks implements IterableIterator<Uint8Array> {
  readonly #fork: Fork
  readonly #sessions: readonly SessionFields[]
  #session = 0
  #rest = new Uint8Array(0)
  #ended = false

  constructor(fork: Fork, sessions: readonly SessionFields[]) {
    this.#fork = fork
    this.#sessions = sessions
    this.#rest = new Writer().byte(VERSION).finish()
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<Uint8Array, undefined> {
    if (this.#rest.length < LIMITS.snapshotChunkBytes && !this.#ended) this.#gather()
    if (this.#rest.length === 0) return { value: undefined, done: true }
    const chunk = this.#rest.subarray(0, LIMITS.snapshotChunkBytes)
    this.#rest = this.#rest.subarray(chunk.length)
    return { value: chunk, done: false }
  }

  /** Nobody draws further. */
  return(): IteratorResult<Uint8Array, undefined> {
    this.#fork.end()
    this.#ended = true
    this.#rest = new Uint8Array(0)
    return { value: undefined, done: true }
  }

  #gather(): void {
    const writer = new Writer(LIMITS.snapshotChunkBytes * 2).raw(this.#rest)
    while (!this.#ended && writer.length < LIMITS.snapshotChunkBytes) {
      const session = this.#sessions[this.#session++]
      const node = session === undefined ? this.#fork.next() : null
      if (session !== undefined) writeSession(writer, session)
      else if (node !== null) writeZnode(writer.byte(ZNODE), node)
      else {
        writer.byte(END)
        this.#ended = true
      }
    }
    this.#rest = writer.finish()
  }
}

function writeSession(writer: Writer, { session, replies }: SessionFields): void {
  writer.byte(SESSION).bigLong(session.id).int(session.timeout).buffer(session.password).long(session.origin)
  if (replies !== undefined) writeReplies(writer.byte(REPLIES), session.id, replies)
}

function writeZnode(writer: Writer, node: ZnodeFields): void {
  writer.string(node.path).buffer(node.data)
  aclCodec.write(writer, node.acl)
  writer.bigLong(node.owner).long(node.czxid).long(node.mzxid).long(node.pzxid).long(node.ctime).long(node.mtime)
  writer.int(node.version).int(node.creates).int(node.aversion)
}

/** Into an empty state. Throws DecodeError for anything but a whole snapshot. */
export function readSnapshot(state: State, chunks: readonly Uint8Array[]): void {
  const reader = new Reader(concat(chunks))
  const version = reader.byte()
  if (version !== VERSION) throw new DecodeError(`snapshot version ${version}`)
  for (let kind = reader.byte(); kind !== END; kind = reader.byte()) {
    if (kind === SESSION) readSession(state, reader)
    else if (kind === ZNODE) readZnode(state, reader)
    else if (kind === REPLIES) readReplies(state, reader)
    else throw new DecodeError(`snapshot record ${kind}`)
  }
  reader.end()
  if (!state.tree.linkChildren()) throw new DecodeError('a node without a parent')
}

function readSession(state: State, reader: Reader): void {
  state.sessions.set({
    id: reader.bigLong() as SessionId,
    timeout: reader.int(),
    password: reader.bytes().slice(),
    origin: reader.long(),
    line: 0,
  })
}

function readZnode(state: State, reader: Reader): void {
  const node: ZnodeFields = {
    path: reader.text(),
    data: reader.buffer()?.slice() ?? null,
    acl: sharedAcl(aclCodec.read(reader)),
    owner: reader.bigLong(),
    czxid: reader.long() as Zxid,
    mzxid: reader.long() as Zxid,
    pzxid: reader.long() as Zxid,
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    creates: reader.int(),
    aversion: reader.int(),
  }
  if (!isValidPath(node.path) || state.tree.get(node.path) !== undefined)
    throw new DecodeError('bad node in a snapshot')
  state.tree.restore(node)
  state.quotas.noted(node.path)
}
