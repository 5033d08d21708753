import type { Zxid } from '../base/zxid.ts'
import { XIDS } from '../jute/opcodes.ts'
import { encodeRequest } from '../jute/protocol.ts'
import type { OneShotKind, WatchMode } from './watch-registry.ts'

/** ZOOKEEPER-706: all watches in one packet may be more than a server takes. */
const BATCH_BYTES = 128 * 1024
/** UTF-8 of one UTF-16 unit is at most this long. */
const UNIT_BYTES_MAX = 3

type Kind = OneShotKind | WatchMode
type Batch = Record<Kind, string[]>

/**
 * Packets that arm watches again on a new connection that negotiated it, and tell all that happened after `since`.
 */
export function resumePackets(paths: Readonly<Record<Kind, readonly string[]>>, since: Zxid): Uint8Array[] {
  const batches = batchesOf(paths)
  return batches.map((batch, at) =>
    encodeRequest(XIDS.setWatches, {
      kind: 'resumeWatches',
      relativeZxid: since,
      dataWatches: batch.data,
      existWatches: batch.exist,
      childWatches: batch.children,
      persistentWatches: batch.persistent,
      persistentRecursiveWatches: batch.persistentRecursive,
      last: at === batches.length - 1,
    }),
  )
}

/**
 * Packets that arm watches again on a new connection; what changed after `lastZxid` fires at once. Servers before 3.6 know only
 * the older request, which is enough unless a watch is persistent.
 */
export const rewatchPackets = (paths: Readonly<Record<Kind, readonly string[]>>, lastZxid: Zxid): Uint8Array[] =>
  batchesOf(paths).map((batch) => encodeBatch(batch, lastZxid))

function batchesOf(paths: Readonly<Record<Kind, readonly string[]>>): Batch[] {
  const batches: Batch[] = []
  let batch = emptyBatch()
  let bytes = 0
  const close = (): void => {
    if (bytes > 0) batches.push(batch)
    batch = emptyBatch()
    bytes = 0
  }
  for (const kind of Object.keys(batch) as Kind[]) {
    for (const path of paths[kind]) {
      const size = 4 + path.length * UNIT_BYTES_MAX
      if (bytes + size > BATCH_BYTES) close()
      batch[kind].push(path)
      bytes += size
    }
  }
  close()
  return batches
}

const emptyBatch = (): Batch => ({ data: [], exist: [], children: [], persistent: [], persistentRecursive: [] })

function encodeBatch(batch: Batch, relativeZxid: Zxid): Uint8Array {
  const oneShot = {
    relativeZxid,
    dataWatches: batch.data,
    existWatches: batch.exist,
    childWatches: batch.children,
  }
  if (batch.persistent.length + batch.persistentRecursive.length === 0) {
    return encodeRequest(XIDS.setWatches, { kind: 'setWatches', ...oneShot })
  }
  return encodeRequest(XIDS.setWatches, {
    kind: 'setWatches2',
    ...oneShot,
    persistentWatches: batch.persistent,
    persistentRecursiveWatches: batch.persistentRecursive,
  })
}
