import { assert } from '../base/assert.ts'
import { follows, type Zxid } from '../base/zxid.ts'
import { nextIncarnation } from '../storage/incarnation.ts'
import { type Batch, Layout } from '../storage/layout.ts'
import { EMPTY_STATE, type StateRecord } from '../storage/schema.ts'
import type { DemandReadable, Recovered } from '../storage/txn-log.ts'
import type { Entry } from '../zab/entry.ts'
import {
  decodeChunk,
  decodeIdentity,
  decodeRun,
  decodeState,
  encodeIdentity,
  encodeRun,
  encodeState,
  type Identity,
} from './level-records.ts'
import {
  chunkPrefix,
  IDENTITY,
  type Level,
  type LevelStore,
  LOG_END,
  logKey,
  logZxid,
  SNAPSHOTS,
  STATE,
  storageFailed,
} from './level-store.ts'

/** Snapshot serials of one incarnation, so that no two ever share one. */
const SERIALS = 2 ** 20
const DURABLE = { sync: true } as const

export interface Found {
  readonly recovered: Recovered
  readonly layout: Layout
}

/** Does the directory hold an identity already? */
export const isFounded = async (store: LevelStore): Promise<boolean> => (await store.db.get(IDENTITY)) !== undefined

/** Writes a new identity with its first entries, durably, all or nothing. */
export async function found(
  store: LevelStore,
  identity: Pick<Identity, 'ensemble' | 'replica'>,
  entries: readonly Entry[],
): Promise<void> {
  const batch = store.db.batch()
  const steps = new Layout(EMPTY_STATE, [], SERIALS).plan([{ kind: 'append', entries }])
  for (const step of steps) {
    assert(step.kind === 'put', 'a founding only appends')
    batch.put(logKey((step.entries[0] as Entry).zxid), encodeRun(step.entries, EMPTY_STATE.committed))
  }
  batch.put(STATE, encodeState(EMPTY_STATE))
  batch.put(IDENTITY, encodeIdentity({ ...identity, incarnation: 0 }))
  await batch.write(DURABLE)
}

/**
 * Raises the incarnation durably, then reads the whole log and checks all of it. Rejects with UpdateNeeded, and writes nothing, where
 * `demandReadable` says so. In the store's turn. Rejects with StorageFailed where
 * anything is garbled or missing: never a guess. (LevelDB itself cuts off a last write that was torn.)
 */
export async function claim(store: LevelStore, demandReadable: DemandReadable): Promise<Found> {
  const { db } = store
  const [kept, stateBytes] = await Promise.all([db.get(IDENTITY), db.get(STATE)])
  if (kept === undefined || stateBytes === undefined) throw storageFailed('the directory holds no replica')
  const before = decodeIdentity(kept)
  const state = decodeState(stateBytes)
  // Before anything is written: a log of a later format is left as it is.
  await chain(db, before, state, [], demandReadable)
  const identity = { ...before, incarnation: nextIncarnation(before.incarnation, Date.now()) }
  await db.put(IDENTITY, encodeIdentity(identity), DURABLE)
  store.incarnation = identity.incarnation
  const snapshot = await readSnapshot(db, state)
  return chain(db, identity, state, snapshot, demandReadable)
}

/** `unreadable` may know better why. */
function readRun(key: string, value: Uint8Array, unreadable: () => void): ReturnType<typeof decodeRun> {
  try {
    return decodeRun(key, value)
  } catch (error) {
    unreadable()
    throw error
  }
}

async function readSnapshot(db: Level, state: StateRecord): Promise<Uint8Array[]> {
  const own = chunkPrefix(state.base, state.snapshotSerial)
  const chunks: Uint8Array[] = []
  for await (const [key, value] of db.iterator(SNAPSHOTS)) {
    if (key.startsWith(own)) chunks.push(decodeChunk(key, value))
    // What a crash left half written.
    else await db.del(key)
  }
  if (chunks.length !== state.snapshotChunks) throw storageFailed('the snapshot is incomplete')
  return chunks
}

async function chain(
  db: Level,
  identity: Identity,
  state: StateRecord,
  snapshot: readonly Uint8Array[],
  demandReadable: DemandReadable,
): Promise<Found> {
  const { acceptedEpoch, currentEpoch, base, baseConfig, memory, demoted } = state
  const entries: Entry[] = []
  const batches: Batch[] = []
  let { committed } = state
  let previous = state.logFrom
  for await (const [key, value] of db.iterator({ gte: logKey(0 as Zxid), lt: LOG_END })) {
    const run = readRun(key, value, () => demandReadable({ baseConfig, entries }))
    const first = logZxid(key)
    const last = run.entries.at(-1)?.zxid
    if (last === undefined || run.entries[0]?.zxid !== first) throw storageFailed(`the record ${key} is garbled`)
    if (!follows(previous, first)) throw storageFailed(`the log has a hole between ${previous} and ${first}`)
    batches.push({ first, last })
    for (const entry of run.entries) if (entry.zxid > state.base) entries.push(entry)
    if (run.committed > committed) committed = run.committed
    previous = last
  }
  demandReadable({ baseConfig, entries })
  if (previous < state.base) throw storageFailed('the log ends before its snapshot')
  return {
    layout: new Layout(state, batches, identity.incarnation * SERIALS),
    recovered: {
      ...identity,
      acceptedEpoch,
      currentEpoch,
      base,
      baseConfig,
      snapshot,
      entries,
      memory,
      demoted,
      committed: Math.min(committed, entries.at(-1)?.zxid ?? base) as Zxid,
    },
  }
}
