import type { ReplicaId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import { Writer } from '../../src/jute/writer.ts'
import type { Change } from '../../src/zab/facts.ts'
import type { Peer } from '../../src/zab/peer.ts'
import { hashOf } from './checkers.ts'
import { applyChanges, type DiskState } from './disk.ts'

export interface Pending {
  readonly write: number
  readonly changes: readonly Change[]
  readonly committed: Zxid
}

/** One peer of a walk: the product's core, a FIFO disk, a tape. */
export interface Walker {
  readonly id: ReplicaId
  readonly disk: DiskState
  peer: Peer
  readonly writes: Pending[]
  position: number
  sum: number
  count: number
}

/** A write reaches the disk, with the hint of what was committed when it was issued. */
export function land(walker: Walker, { changes, committed }: Pending): void {
  applyChanges(walker.disk, changes)
  const last = walker.disk.entries.at(-1)?.zxid ?? walker.disk.base
  walker.disk.committed = Math.max(walker.disk.base, Math.min(committed, last)) as Zxid
}

/** The tape: what was applied, as a sum. */
export function play(walker: Walker, bytes: Uint8Array): void {
  walker.sum = Math.imul(walker.sum ^ hashOf(bytes), 16777619)
  walker.count++
}

export const recording = (walker: Walker): Uint8Array => new Writer().int(walker.sum).int(walker.count).finish()

export function rewind(walker: Walker, chunks: readonly Uint8Array[]): void {
  const chunk = chunks[0]
  walker.sum = 0
  walker.count = 0
  if (chunk === undefined || chunk.length < 8) return
  const view = new DataView(chunk.buffer, chunk.byteOffset)
  walker.sum = view.getInt32(0)
  walker.count = view.getInt32(4)
}
