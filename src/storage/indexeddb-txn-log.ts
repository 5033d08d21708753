import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import { checksum } from './checksum.ts'
import { storageFailed } from './database.ts'
import type { Layout, Step } from './layout.ts'
import { dropTorn, logRecord, raiseIncarnation, readLog, recordEntries, sweep } from './recover.ts'
import type { Database, Store } from './schema.ts'
import type { Recovered, TxnLog } from './txn-log.ts'

interface Job {
  /** Applied with its neighbours in one transaction; a function is planned when its turn comes. */
  readonly changes: readonly Change[] | (() => Step[])
  readonly relaxed: boolean
  readonly committed: Zxid
  resolve(): void
  reject(reason: unknown): void
}

export interface OpenedLog {
  readonly log: TxnLog
  readonly recovered: Recovered
  /** Was a garbled last record cut off? */
  readonly torn: boolean
}

/** Claims the log (its lock is held): raises the incarnation, then reads. null: a database without an identity. */
export async function openIndexedDbLog(db: Database): Promise<OpenedLog | null> {
  if ((await readIdentity(db)) === undefined) return null
  await raiseIncarnation(db)
  const found = await readLog(db)
  if (found === null) return null
  if (found.torn !== null) await dropTorn(db, found.torn)
  const log = new IndexedDbTxnLog(db, found.recovered.incarnation, found.layout)
  return { log, recovered: found.recovered, torn: found.torn !== null }
}

const readIdentity = async (db: Database) => {
  const tx = db.transaction(['identity', 'state'])
  const [identity, state] = await Promise.all([
    tx.objectStore('identity').get('identity'),
    tx.objectStore('state').get('state'),
    tx.done,
  ])
  return state === undefined ? undefined : identity
}

/**
 * Group commit: what is written in one turn, or while a transaction runs, shares the next one. A transaction starts only
 * after the previous one has completed, so that a crash keeps a prefix. Nothing else is awaited inside a transaction.
 */
class IndexedDbTxnLog implements TxnLog {
  readonly #db: Database
  readonly #incarnation: number
  readonly #layout: Layout
  #jobs: Job[] = []
  #running: Promise<void> | null = null
  #failure: KeeperError | null = null
  /** Snapshots are written one at a time. */
  #snapshots: Promise<unknown> = Promise.resolve()

  constructor(db: Database, incarnation: number, layout: Layout) {
    this.#db = db
    this.#incarnation = incarnation
    this.#layout = layout
    db.addEventListener('close', () => this.#fail(storageFailed('the browser closed the database')))
    db.addEventListener('versionchange', () => {
      db.close()
      this.#fail(storageFailed('the database is being upgraded or deleted by another page'))
    })
  }

  write(changes: readonly Change[], options: { readonly relaxed: boolean; readonly committed: Zxid }): Promise<void> {
    return this.#enqueue(changes, options.relaxed, options.committed)
  }

  saveSnapshot(zxid: Zxid, config: Entry | null, chunks: readonly Uint8Array[], keepFrom: Zxid): Promise<void> {
    const saved = this.#snapshots.then(() => this.#saveSnapshot(zxid, config, chunks, keepFrom))
    this.#snapshots = saved.catch(() => {})
    return saved
  }

  async usage(): Promise<{ readonly entries: number; readonly bytes: number | null }> {
    const storage: StorageManager | undefined = globalThis.navigator?.storage
    const estimate = await storage?.estimate?.()
    return { entries: this.#layout.entries, bytes: estimate?.usage ?? null }
  }

  async close(): Promise<void> {
    await this.#snapshots
    const pending = this.#running
    this.#failure ??= new KeeperError('Closed', 'the log was closed')
    await pending
    this.#db.close()
  }

  #enqueue(changes: Job['changes'], relaxed: boolean, committed: Zxid): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise<void>((resolve, reject) => {
      this.#jobs.push({ changes, relaxed, committed, resolve, reject })
      this.#running ??= Promise.resolve().then(() => this.#run())
    })
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs
      this.#jobs = []
      try {
        await this.#commit(jobs)
        for (const job of jobs) job.resolve()
      } catch (error) {
        const failure = error instanceof Error && error.name === 'AssertionError' ? error : this.#asFailure(error)
        this.#fail(this.#asFailure(error))
        for (const job of jobs) job.reject(failure)
      }
    }
    this.#running = null
  }

  /** One transaction for all these jobs. */
  async #commit(jobs: readonly Job[]): Promise<void> {
    const layout = this.#layout
    const before = layout.state.committed
    for (const job of jobs) layout.noteCommitted(job.committed)
    const steps = planned(layout, jobs)
    const writesState = layout.takeStateChanged() || (steps.length === 0 && layout.state.committed > before)
    if (steps.length === 0 && !writesState) return
    const stores: Store[] = ['identity', 'state', 'log']
    if (steps.some((step) => step.kind === 'chunks' || step.kind === 'sweep')) stores.push('snapshot')
    const durability = jobs.every((job) => job.relaxed) ? 'relaxed' : 'strict'

    const tx = this.#db.transaction(stores, 'readwrite', { durability })
    let fenced: KeeperError | null = null
    const work: Promise<unknown>[] = [
      tx
        .objectStore('identity')
        .get('identity')
        .then((identity) => {
          if (identity?.incarnation === this.#incarnation) return
          fenced = storageFailed('claimed anew: another worker has taken over this log')
          tx.abort()
        }),
      this.#carryOut(steps, tx),
    ]
    if (writesState) work.push(tx.objectStore('state').put(layout.state, 'state'))
    const results = await Promise.allSettled([tx.done, ...work])
    if (fenced !== null) throw fenced
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    // Where we aborted, our reason says more than the transaction's.
    if (reasons.length > 0) throw reasons.find((reason) => reason instanceof KeeperError) ?? reasons[0]
  }

  /** Requests of one transaction, issued in order; only `split` has to read first. */
  async #carryOut(steps: readonly Step[], tx: WriteTransaction): Promise<void> {
    const log = tx.objectStore('log')
    const requests: Promise<unknown>[] = []
    try {
      for (const step of steps) {
        switch (step.kind) {
          case 'put':
            requests.push(
              log.put(logRecord(step.entries, this.#layout.state.committed), (step.entries[0] as Entry).zxid),
            )
            break
          case 'clear':
            requests.push(log.clear())
            break
          case 'forget':
            requests.push(log.delete(IDBKeyRange.upperBound(step.zxid)))
            break
          case 'sweep':
            requests.push(...sweep(tx.objectStore('snapshot'), step.zxid, step.serial))
            break
          case 'chunks':
            requests.push(
              ...step.chunks.map((bytes, index) =>
                tx.objectStore('snapshot').put({ bytes, sum: checksum(bytes) }, [step.zxid, step.serial, index]),
              ),
            )
            break
          case 'cut': {
            requests.push(log.delete(IDBKeyRange.lowerBound(step.zxid, true)))
            if (step.split === null) break
            const record = await log.get(step.split)
            const entries = record && recordEntries(step.split, record)
            if (!entries) throw storageFailed(`log record ${step.split} is garbled`)
            const kept = entries.filter((entry) => entry.zxid <= step.zxid)
            requests.push(log.put(logRecord(kept, this.#layout.state.committed), step.split))
            break
          }
        }
      }
      await Promise.all(requests)
    } catch (error) {
      // What was issued fails with the transaction; the first reason is told.
      void Promise.allSettled(requests)
      abort(tx)
      throw error
    }
  }

  /** Chunks have a store to themselves, so writing them does not hold up the log. */
  async #saveSnapshot(zxid: Zxid, config: Entry | null, chunks: readonly Uint8Array[], keepFrom: Zxid): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const written = this.#layout.beginSnapshot(chunks.length)
    try {
      for (let index = 0; index < chunks.length; index++) {
        if (this.#failure !== null) throw this.#failure
        const bytes = chunks[index] as Uint8Array
        const tx = this.#db.transaction('snapshot', 'readwrite', { durability: 'relaxed' })
        await Promise.all([tx.store.put({ bytes, sum: checksum(bytes) }, [zxid, written.serial, index]), tx.done])
      }
    } catch (error) {
      throw this.#asFailure(error)
    }
    const plan = (): Step[] => this.#layout.planSnapshot(zxid, config, written, keepFrom)
    await this.#enqueue(plan, false, 0 as Zxid)
  }

  #asFailure(error: unknown): KeeperError {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return storageFailed(`the log could not be written: ${detail}`, error)
  }

  /** Every later write rejects; what waits does so now. */
  #fail(failure: KeeperError): void {
    this.#failure ??= failure
    const waiting = this.#jobs
    this.#jobs = []
    for (const job of waiting) job.reject(failure)
  }
}

type WriteTransaction = ReturnType<typeof writeTransaction>
const writeTransaction = (db: Database, stores: Store[]) => db.transaction(stores, 'readwrite')

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

/** A transaction that has ended already cannot be aborted, and need not be. */
function abort(tx: WriteTransaction): void {
  try {
    tx.abort()
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
  }
}
