import type { SessionId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import { Reader } from '../../src/jute/reader.ts'
import { Writer } from '../../src/jute/writer.ts'
import type { ReplicaServer, ServerOrder, ServerStatus } from '../../src/server/orders.ts'
import { hashOf } from './checkers.ts'

/** The smallest state machine: a tape of numbers. It drives Zab at full speed where the tree is not what is tested. */
export class Tape implements ReplicaServer {
  applied = 0 as Zxid
  #sum = 0
  #count = 0

  get digest(): string {
    return `${this.#count}:${this.#sum >>> 0}`
  }

  apply(zxid: Zxid, txn: Uint8Array): ServerOrder[] {
    this.applied = zxid
    this.#sum = Math.imul(this.#sum ^ hashOf(txn), 16777619)
    this.#count++
    return []
  }

  /** Something was applied differently here. */
  corrupt(): void {
    this.#sum ^= 1
  }

  applyConfig(zxid: Zxid): ServerOrder[] {
    this.applied = zxid
    return []
  }

  *snapshot(): Iterable<Uint8Array> {
    yield new Writer().long(this.applied).int(this.#sum).int(this.#count).finish()
  }

  restore(zxid: Zxid, chunks: readonly Uint8Array[]): void {
    this.applied = zxid
    this.#sum = 0
    this.#count = 0
    const chunk = chunks[0]
    if (chunk === undefined) return
    const reader = new Reader(chunk)
    reader.long()
    this.#sum = reader.int()
    this.#count = reader.int()
  }

  prepare(zxid: Zxid, request: Uint8Array): Uint8Array {
    return new Writer().long(zxid).buffer(request).finish()
  }

  /** The way in for a request: its number. */
  endSession(session: SessionId): ServerOrder[] {
    return [{ kind: 'request', bytes: new Writer().bigLong(session).finish() }]
  }

  connectionOpened = (): ServerOrder[] => []
  connectionClosed = (): ServerOrder[] => []
  received = (): ServerOrder[] => []
  synced = (): ServerOrder[] => []
  touched = (): Uint8Array => new Uint8Array(0)
  serving = (): ServerOrder[] => []
  startLeading = (): void => undefined
  stopLeading = (): void => undefined
  touch = (): void => undefined
  ticked = (): ServerOrder[] => []

  status(): ServerStatus {
    return {
      znodes: 0,
      dataBytes: 0,
      sessions: [],
      connections: 0,
      watches: 0,
      digest: this.digest,
      applied: this.applied,
    }
  }
}
