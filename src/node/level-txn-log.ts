import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Layout, Step } from '../storage/layout.ts'
import type { DemandReadable, Recovered, TxnLog } from '../storage/txn-log.ts'
import type { Entry } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import { demandReadable } from '../zab/format.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import { encodeChunk, encodeState } from './level-records.ts'
import { claim, found, isFounded } from './level-recover.ts'
import { chunkKey, LevelStore, reasonOf, STATE, storageFailed } from './level-store.ts'
import { WriteBatch } from './level-write.ts'

interface Job {
  readonly changes: readonly Change[] | (() => Step[])
  readonly relaxed: boolean
  readonly committed: Zxid
  resolve(): void
  reject(reason: unknown): void
}

export interface NewIdentity {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  readonly entries: readonly Entry[]
}

export interface LevelLogOptions {
  /** Asked in an empty directory: who this is, with the first records of a new ensemble, or none to join one. */
  founding(): Promise<NewIdentity> | NewIdentity
}

/** Opens the log in a directory, founding an ensemble in an empty one. The directory stays locked until the log is closed. */
export async function openLevelLog(
  directory: string,
  options: LevelLogOptions,
): Promise<{ readonly log: TxnLog; readonly recovered: Recovered }> {
  const store = await LevelStore.open(directory)
  try {
    if (!(await isFounded(store))) {
      const { ensemble, replica, entries } = await options.founding()
      await found(store, { ensemble, replica }, entries)
    }
    const { log, recovered } = await claimLevelLog(store, (kept) => demandReadable(kept, FORMAT_VERSION))
    return { recovered, log: { ...log, close: () => log.close().finally(() => store.close()) } }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Claims the log of an open store; whoever had it before cannot write any more. Closing the log leaves the store open. */
export const claimLevelLog = (
  store: LevelStore,
  demand: DemandReadable = () => undefined,
): Promise<{ readonly log: TxnLog; readonly recovered: Recovered }> =>
  store.inTurn(async () => {
    const { layout, recovered } = await claim(store, demand)
    return { log: levelTxnLog(store, recovered.incarnation, layout), recovered }
  })

/**
 * Group commit: what is written in one turn, or while a batch is on its way to the disk, shares the next one, which is one
 * synchronous LevelDB batch. The next starts only after it, so that a crash keeps a prefix.
 */
function levelTxnLog(store: LevelStore, incarnation: number, layout: Layout): TxnLog {
  let jobs: Job[] = []
  let running: Promise<void> | null = null
  let failure: KeeperError | null = null
  let snapshots: Promise<unknown> = Promise.resolve()

  const fail = (error: unknown): KeeperError => {
    failure ??=
      error instanceof KeeperError ? error : storageFailed(`the log could not be written: ${reasonOf(error)}`, error)
    const waiting = jobs
    jobs = []
    for (const job of waiting) job.reject(failure)
    return failure
  }

  /** In the store's turn, so that a claim comes before or after, never between. */
  const checkClaim = (): void => {
    if (store.incarnation !== incarnation) throw storageFailed('claimed anew: another replica has taken over this log')
  }

  const commit = (group: readonly Job[]): Promise<void> =>
    store.inTurn(async () => {
      checkClaim()
      const before = layout.state.committed
      for (const job of group) layout.noteCommitted(job.committed)
      const steps = planned(layout, group)
      const stateChanged = layout.takeStateChanged() || (steps.length === 0 && layout.state.committed > before)
      const batch = new WriteBatch(store.db, layout.state.committed)
      for (const step of steps) await batch.add(step)
      if (stateChanged) batch.put(STATE, encodeState(layout.state))
      await batch.write(!group.every((job) => job.relaxed))
    })

  const run = async (): Promise<void> => {
    while (jobs.length > 0) {
      const group = jobs
      jobs = []
      try {
        await commit(group)
        for (const job of group) job.resolve()
      } catch (error) {
        const reason = fail(error)
        const told = error instanceof Error && error.name === 'AssertionError' ? error : reason
        for (const job of group) job.reject(told)
      }
    }
    running = null
  }

  const enqueue = (changes: Job['changes'], relaxed: boolean, committed: Zxid): Promise<void> => {
    if (failure !== null) return Promise.reject(failure)
    return new Promise<void>((resolve, reject) => {
      jobs.push({ changes, relaxed, committed, resolve, reject })
      running ??= Promise.resolve().then(run)
    })
  }

  /** Chunk by chunk, so that the log's writes pass between. */
  const saveSnapshot: TxnLog['saveSnapshot'] = async (zxid, config, chunks, keepFrom) => {
    const written = layout.beginSnapshot()
    let count = 0
    for (const chunk of chunks) {
      if (failure !== null) throw failure
      const index = count++
      const bytes = encodeChunk(chunk)
      await store.inTurn(async () => {
        checkClaim()
        await store.db.put(chunkKey(zxid, written.serial, index), bytes, { sync: true })
      })
    }
    await enqueue(() => layout.planSnapshot(zxid, config, written, count, keepFrom), false, 0 as Zxid)
    return count
  }

  return {
    write: (changes, { relaxed, committed }) => enqueue(changes, relaxed, committed),
    saveSnapshot(zxid, config, chunks, keepFrom) {
      const saved = snapshots
        .then(() => saveSnapshot(zxid, config, chunks, keepFrom))
        .catch((error: unknown) => Promise.reject(fail(error)))
      snapshots = saved.catch(() => undefined)
      return saved
    },
    usage: async () => ({ entries: layout.entries, bytes: await bytesIn(store.directory) }),
    async close() {
      await snapshots
      const pending = running
      failure ??= new KeeperError('Closed', 'the log was closed')
      await pending
    },
  }
}

/** Changes that stand next to each other are planned together: their appends share records. */
function planned(layout: Layout, jobs: readonly Job[]): Step[] {
  const steps: Step[] = []
  let run: Change[] = []
  for (const { changes } of jobs) {
    if (typeof changes !== 'function') {
      run.push(...changes)
      continue
    }
    steps.push(...layout.plan(run), ...changes())
    run = []
  }
  steps.push(...layout.plan(run))
  return steps
}

async function bytesIn(directory: string): Promise<number | null> {
  try {
    const names = await readdir(directory)
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(directory, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    )
    return sizes.reduce((sum, size) => sum + size, 0)
  } catch {
    return null
  }
}
