import { unwrap } from 'idb'
import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import { checksum } from './checksum.ts'
import { claimDatabase, openDatabase, storageFailed } from './database.ts'
import type { Layout, Step } from './layout.ts'
import { dropTorn, logRecord, raiseIncarnation, readLog, recordEntries, sweep } from './recover.ts'
import type { Database, LogRecord, Store } from './schema.ts'
import type { Ancestry, Recovered, TxnLog } from './txn-log.ts'

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

/** Claims the log (its lock is held): nobody else writes from here on. null: a database without an identity. */
export async function openIndexedDbLog(databases: IDBFactory, name: string): Promise<OpenedLog | null> {
  let db = await openDatabase(databases, name)
  try {
    const identity = await readIdentity(db)
    db = await claimDatabase(databases, db)
    const found = identity === undefined ? null : await claimed(db)
    if (found === null) db.close()
    return found
  } catch (error) {
    db.close()
    throw error
  }
}

async function claimed(db: Database): Promise<OpenedLog | null> {
  await raiseIncarnation(db)
  const found = await readLog(db)
  if (found === null) return null
  if (found.torn !== null) await dropTorn(db, found.torn, found.layout.state)
  const log = new IndexedDbTxnLog(unwrap(db) as unknown as IDBDatabase, found.layout)
  return { log, recovered: found.recovered, torn: found.torn !== null }
}

/** What the identity in this database says that it was forked from, whoever holds it. */
export async function ancestry(databases: IDBFactory, name: string): Promise<Ancestry | undefined> {
  const db = await openDatabase(databases, name)
  try {
    return (await readIdentity(db))?.forkedFrom
  } finally {
    db.close()
  }
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
 * after the previous one has completed, so that a crash keeps a prefix. Its requests are issued all at once and the commit
 * with them: nothing is read or awaited inside, and an append is one record in one store.
 */
class IndexedDbTxnLog implements TxnLog {
  onlost: ((why: KeeperError) => void) | null = null
  readonly #db: IDBDatabase
  readonly #layout: Layout
  #jobs: Job[] = []
  #running: Promise<void> | null = null
  #failure: KeeperError | null = null
  /** Snapshots are written one at a time. */
  #snapshots: Promise<unknown> = Promise.resolve()

  constructor(db: IDBDatabase, layout: Layout) {
    this.#db = db
    this.#layout = layout
    db.addEventListener('close', () => this.#lose('the browser closed the database'))
    db.addEventListener('versionchange', () => {
      db.close()
      this.#lose('claimed anew: another worker takes over this log, or it is being deleted')
    })
  }

  write(changes: readonly Change[], options: { readonly relaxed: boolean; readonly committed: Zxid }): Promise<void> {
    return this.#enqueue(changes, options.relaxed, options.committed)
  }

  saveSnapshot(zxid: Zxid, config: Entry | null, chunks: Iterable<Uint8Array>, keepFrom: Zxid): Promise<number> {
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
    const stores = new Set<Store>(steps.map(storeOf))
    if (writesState) stores.add('state')
    const durability = jobs.every((job) => job.relaxed) ? 'relaxed' : 'strict'
    const tx = this.#db.transaction([...stores], 'readwrite', { durability })
    this.#carryOut(steps, 0, tx, () => {
      if (writesState) tx.objectStore('state').put(layout.state, 'state')
      // Without this, the browser waits for the last answer before it commits.
      tx.commit()
    })
    await ended(tx)
  }

  /** Issues the requests in order, all at once but where a record has to be read first. An error of one aborts the transaction, committed or not. */
  #carryOut(steps: readonly Step[], from: number, tx: IDBTransaction, issued: () => void): void {
    const { committed } = this.#layout.state
    for (let at = from; at < steps.length; at++) {
      const step = steps[at] as Step
      const store = tx.objectStore(storeOf(step))
      switch (step.kind) {
        case 'put':
          store.put(logRecord(step.entries, committed), (step.entries[0] as Entry).zxid)
          break
        case 'clear':
          store.clear()
          break
        case 'forget':
          store.delete(IDBKeyRange.upperBound(step.zxid))
          break
        case 'sweep':
          sweep(store, step.zxid, step.serial)
          break
        case 'chunks':
          for (const [index, bytes] of step.chunks.entries()) {
            store.put({ bytes, sum: checksum(bytes) }, [step.zxid, step.serial, index])
          }
          break
        case 'cut':
          store.delete(IDBKeyRange.lowerBound(step.zxid, true))
          if (step.split === null) break
          shorten(store, step.split, step.zxid, committed, () => this.#carryOut(steps, at + 1, tx, issued))
          return
      }
    }
    issued()
  }

  /** Chunks have a store to themselves, so writing them does not hold up the log. */
  async #saveSnapshot(zxid: Zxid, config: Entry | null, chunks: Iterable<Uint8Array>, keepFrom: Zxid): Promise<number> {
    const written = this.#layout.beginSnapshot()
    let count = 0
    try {
      // Leaving the loop early ends the drawing.
      for (const bytes of chunks) {
        if (this.#failure !== null) throw this.#failure
        const index = count++
        const tx = this.#db.transaction('snapshot', 'readwrite', { durability: 'relaxed' })
        tx.objectStore('snapshot').put({ bytes, sum: checksum(bytes) }, [zxid, written.serial, index])
        tx.commit()
        await ended(tx)
      }
    } catch (error) {
      throw this.#asFailure(error)
    }
    const plan = (): Step[] => this.#layout.planSnapshot(zxid, config, written, count, keepFrom)
    await this.#enqueue(plan, false, 0 as Zxid)
    return count
  }

  #asFailure(error: unknown): KeeperError {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return storageFailed(`the log could not be written: ${detail}`, error)
  }

  #lose(how: string): void {
    const first = this.#failure === null
    const failure = storageFailed(how)
    this.#fail(failure)
    if (first) this.onlost?.(failure)
  }

  /** Every later write rejects; what waits does so now. */
  #fail(failure: KeeperError): void {
    this.#failure ??= failure
    const waiting = this.#jobs
    this.#jobs = []
    for (const job of waiting) job.reject(failure)
  }
}

const storeOf = (step: Step): Store => (step.kind === 'sweep' || step.kind === 'chunks' ? 'snapshot' : 'log')

/** Settles as the transaction does. */
const ended = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error ?? storageFailed('a record is garbled'))
  })

/** The record that starts at `key` keeps what is not behind `zxid`. */
function shorten(store: IDBObjectStore, key: Zxid, zxid: Zxid, committed: Zxid, issued: () => void): void {
  const request: IDBRequest<LogRecord | undefined> = store.get(key)
  request.onsuccess = () => {
    const entries = request.result && recordEntries(key, request.result)
    if (!entries) return store.transaction.abort()
    store.put(
      logRecord(
        entries.filter((entry) => entry.zxid <= zxid),
        committed,
      ),
      key,
    )
    issued()
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
