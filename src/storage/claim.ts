import { toHex } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { type EnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'
import type { Entry } from '../zab/entry.ts'
import { chooseEnsemble, type Local, lookInto, type Survey, surveyFree } from './choose.ts'
import { browserId, deleteDatabase, openDatabase, storageFailed } from './database.ts'
import { type Begin, chooseParent, writeFork } from './fork.ts'
import { ancestry, openIndexedDbLog } from './indexeddb-txn-log.ts'
import { type HeldLock, type Locks, tryIdentity, tryLock, waitForLock } from './locks.ts'
import { BROWSER_DATABASE, databaseName, foundingLock, type Identity, identityOf } from './names.ts'
import { createLog } from './recover.ts'
import { type Database, EMPTY_STATE } from './schema.ts'
import { spare } from './sweep.ts'
import type { DemandReadable, Recovered, TxnLog } from './txn-log.ts'

export interface ClaimOptions {
  /** The ensemble's name. */
  readonly name: string
  /** `auto`: found if this browser knows no such ensemble. `always`: found anew in any case. `never`: only join. */
  readonly create: 'auto' | 'always' | 'never'
  /** The first log records of a new ensemble: zxids 0:1 (config) and 0:2 (format). */
  founding(ensemble: EnsembleId, replica: ReplicaId): readonly Entry[]
  /** Who votes, by a `config` entry. */
  votersOf(config: Entry): readonly ReplicaId[]
  /** Throws `UpdateNeeded` where this build does not know the log's format: such a log is left as it is. */
  readonly demandReadable: DemandReadable
  /** The ensemble that an invitation names: founded nowhere, joined with an empty log if it is unknown here. */
  readonly ensemble?: EnsembleId
  /** Begin an ensemble of its own with what this browser holds of `ensemble`; the parent's log stays as it is. */
  readonly fork?: Begin
  /** The failure domain; default: a random id of this browser profile. */
  readonly browser?: string
  /** Another opening of this browser is at work; called at most once. */
  onWaiting?(): void
  readonly signal?: AbortSignal
  readonly locks?: Locks
  readonly databases?: IDBFactory
}

export interface Claim {
  readonly log: TxnLog
  readonly recovered: Recovered
  /** Was the ensemble founded by this claim? */
  readonly founded: boolean
  readonly browser: string
  /** Other ensembles of this name that this browser holds replicas of. */
  readonly others: readonly EnsembleId[]
  /** Closes the log, then lets go of the identity. */
  release(): Promise<void>
  /** The same, and the identity and its log are gone. */
  discard(): Promise<void>
}

/**
 * Takes up an unclaimed identity of this browser, or makes one, or founds the ensemble. In a worker: the identity's lock
 * lives as long as it does. Rejects with `Unsupported`, `StorageFailed`, `UpdateNeeded`, `NoNode` (`never`, and nothing
 * is known here), `Aborted`.
 */
export async function claimReplica(options: ClaimOptions): Promise<Claim> {
  const databases = options.databases ?? globalThis.indexedDB
  const locks = options.locks ?? (globalThis.navigator?.locks as Locks | undefined)
  if (databases === undefined) throw new KeeperError('Unsupported', 'IndexedDB is not available in this worker')
  if (typeof databases.databases !== 'function') throw new KeeperError('Unsupported', 'indexedDB.databases is missing')
  if (locks === undefined) throw new KeeperError('Unsupported', 'navigator.locks is not available in this worker')
  const turn = await takeTurn(locks, options)
  try {
    return await claimInTurn(options, locks, databases)
  } catch (error) {
    throw error instanceof KeeperError ? error : storageFailed(`claiming a replica of ${options.name}: ${error}`, error)
  } finally {
    turn.release()
  }
}

/**
 * Takes up this one identity, if its database is here and nobody holds it; else null. For the votes of dead tabs. Rejects as `claimReplica` does.
 */
export async function claimIdentity(
  options: Pick<ClaimOptions, 'name' | 'locks' | 'databases' | 'demandReadable'>,
  identity: Identity,
): Promise<Pick<Claim, 'log' | 'recovered' | 'release'> | null> {
  const databases = options.databases ?? globalThis.indexedDB
  const locks = options.locks ?? (globalThis.navigator.locks as Locks)
  const name = databaseName(options.name, identity)
  if (!(await databases.databases()).some((one) => one.name === name)) return null
  const lock = await tryIdentity(locks, identity)
  if (lock === null) return null
  try {
    await lookInto(await openDatabase(databases, name), options.demandReadable)
  } catch (error) {
    lock.release()
    throw error
  }
  return open(identity, lock, options, databases)
}

async function takeTurn(locks: Locks, options: ClaimOptions): Promise<HeldLock> {
  const name = foundingLock(options.name)
  const atOnce = await tryLock(locks, name)
  if (atOnce !== null) return atOnce
  options.onWaiting?.()
  try {
    return await waitForLock(locks, name, options.signal)
  } catch (cause) {
    throw new KeeperError('Aborted', 'gave up waiting for another page that opens this ensemble', { cause })
  }
}

async function claimInTurn(options: ClaimOptions, locks: Locks, databases: IDBFactory): Promise<Claim> {
  const browser = options.browser ?? (await browserId(databases, BROWSER_DATABASE))
  const local = await localIdentities(options, locks, databases)
  const known = [...new Set(local.map(({ identity }) => identity.ensemble))]
  const claimed = (ensemble: EnsembleId) => ({ browser, others: known.filter((other) => other !== ensemble) })

  if (options.create !== 'always' || options.ensemble !== undefined) {
    const survey = await surveyFree(local, options, (identity) =>
      openDatabase(databases, databaseName(options.name, identity)),
    )
    for (const { local: one, release } of survey.unfinished) {
      await deleteDatabase(databases, databaseName(options.name, one.identity))
      release()
    }
    const whole = local.filter((one) => !survey.unfinished.some((other) => other.local === one))
    const free = survey.candidates
    const ensemble = options.ensemble ?? chooseEnsemble(local, free, await forkedHere(whole, known, options, databases))
    if (ensemble !== null && options.fork !== undefined) {
      const forked = await fork(ensemble, options.fork, local, survey, options, locks, databases)
      return { ...forked, ...claimed(forked.recovered.ensemble), founded: false }
    }
    if (ensemble !== null) {
      const best = free.find((candidate) => candidate.local.identity.ensemble === ensemble)
      const gone = best === undefined ? [] : spare(best, free, options.votersOf, Date.now())
      for (const { local: one } of gone) await deleteDatabase(databases, databaseName(options.name, one.identity))
      for (const candidate of free) if (candidate !== best) candidate.release()
      if (best?.local.lock) {
        const adopted = await open(best.local.identity, best.local.lock, options, databases)
        return { ...adopted, ...claimed(ensemble), founded: false }
      }
      const newcomer = { ensemble, replica: randomReplica() }
      const joined = await make(newcomer, options, locks, databases, (db) => createLog(db, newcomer, EMPTY_STATE, []))
      return { ...joined, ...claimed(ensemble), founded: false }
    }
    // A browser that holds a replica never founds, not even where it cannot read it.
    if (survey.failures.length > 0) throw survey.failures[0]?.error
  } else {
    for (const { lock } of local) lock?.release()
  }

  if (options.create === 'never') {
    throw new KeeperError('NoNode', `this browser knows no ensemble ${options.name}, and create is 'never'`)
  }
  const ensemble = randomEnsemble()
  const replica = randomReplica()
  const identity = { ensemble, replica }
  const founded = await make(identity, options, locks, databases, (db) =>
    createLog(db, identity, EMPTY_STATE, options.founding(ensemble, replica)),
  )
  return { ...founded, ...claimed(ensemble), founded: true }
}

/** Every identity of this name in this browser, with its lock where nobody has it. */
async function localIdentities(options: ClaimOptions, locks: Locks, databases: IDBFactory): Promise<Local[]> {
  // The query makes browsers evict pages in the back/forward cache, which hold locks.
  await locks.query()
  const local: Local[] = []
  for (const { name } of await databases.databases()) {
    const identity = name === undefined ? null : identityOf(options.name, name)
    if (identity !== null) local.push({ identity, lock: await tryIdentity(locks, identity) })
  }
  return local
}

/** The ensembles of which this browser holds forks. Only where there are several is anything read. */
async function forkedHere(
  local: readonly Local[],
  known: readonly EnsembleId[],
  { name }: ClaimOptions,
  databases: IDBFactory,
): Promise<Set<EnsembleId>> {
  const forked = new Set<EnsembleId>()
  if (known.length < 2) return forked
  for (const { identity } of local) {
    // One that cannot be read says nothing.
    const parent = await ancestry(databases, databaseName(name, identity)).catch(() => undefined)
    if (parent !== undefined) forked.add(parent.ensemble)
  }
  return forked
}

async function fork(
  ensemble: EnsembleId,
  begin: Begin,
  local: readonly Local[],
  { candidates: free, failures }: Survey,
  options: ClaimOptions,
  locks: Locks,
  databases: IDBFactory,
): Promise<Adopted> {
  try {
    const { local: parent } = chooseParent(ensemble, local, free, failures)
    // Claimed, so that nobody writes it any more who did.
    const held = await open(parent.identity, parent.lock as HeldLock, options, databases)
    try {
      const { entries, base } = held.recovered
      const child = { ensemble: randomEnsemble(), replica: randomReplica() }
      const beginning = begin(held.recovered, child)
      return await make(child, options, locks, databases, (db) =>
        writeFork(db, child, beginning, { ensemble, zxid: entries.at(-1)?.zxid ?? base }),
      )
    } finally {
      await held.release()
    }
  } finally {
    for (const candidate of free) candidate.release()
  }
}

type Adopted = Pick<Claim, 'log' | 'recovered' | 'release' | 'discard'>

async function open(
  identity: Identity,
  lock: HeldLock,
  options: Pick<ClaimOptions, 'name'>,
  databases: IDBFactory,
): Promise<Adopted> {
  const name = databaseName(options.name, identity)
  const opened = await openIndexedDbLog(databases, name).catch((error: unknown) => {
    lock.release()
    throw error
  })
  if (opened === null) {
    lock.release()
    throw storageFailed(`database ${name} holds no identity`)
  }
  const { log, recovered } = opened
  const release = async (): Promise<void> => {
    await log.close()
    lock.release()
  }
  const discard = async (): Promise<void> => {
    await log.close()
    await deleteDatabase(databases, name)
    lock.release()
  }
  return { log, recovered, release, discard }
}

async function make(
  identity: Identity,
  options: ClaimOptions,
  locks: Locks,
  databases: IDBFactory,
  write: (db: Database) => Promise<void>,
): Promise<Adopted> {
  const lock = await tryIdentity(locks, identity)
  if (lock === null) throw storageFailed(`replica id ${identity.replica} is taken`)
  const db = await openDatabase(databases, databaseName(options.name, identity))
  try {
    await write(db)
  } catch (error) {
    lock.release()
    throw error
  } finally {
    db.close()
  }
  return open(identity, lock, options, databases)
}

const randomEnsemble = (): EnsembleId => toHex(crypto.getRandomValues(new Uint8Array(16))) as EnsembleId

function randomReplica(): ReplicaId {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  const id = (high & 0x1fffff) * 2 ** 32 + low
  return isReplicaId(id) ? id : randomReplica()
}
