import { wrap } from 'idb'
import { KeeperError } from '../base/errors.ts'
import { CLAIMS, type Database, SCHEMA_VERSION } from './schema.ts'

/** An opening that another connection blocks (one that ignores `versionchange`) ends after this. */
const BLOCKED_MS = 5000
/** One that says nothing at all ends after this. */
const SILENT_MS = 30_000

export const storageFailed = (message: string, cause?: unknown): KeeperError =>
  cause instanceof KeeperError ? cause : new KeeperError('StorageFailed', message, { cause })

/** Settles as the request does. Rejects with StorageFailed when it is blocked or silent for too long. */
function opened<T>(request: IDBOpenDBRequest, name: string, late: (value: T) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let over = false
    const end = (): void => {
      over = true
      clearTimeout(silent)
      clearTimeout(blocked)
    }
    const giveUp = (why: string): void => {
      end()
      reject(storageFailed(`database ${name}: ${why}`))
    }
    const silent = setTimeout(() => giveUp(`the browser has not answered for ${SILENT_MS} ms`), SILENT_MS)
    let blocked: ReturnType<typeof setTimeout> | undefined
    request.onblocked = () => {
      blocked ??= setTimeout(() => giveUp(`another page has kept it open for ${BLOCKED_MS} ms; close it`), BLOCKED_MS)
    }
    request.onsuccess = () => {
      if (over) return late(request.result as T)
      end()
      resolve(request.result as T)
    }
    request.onerror = () => {
      if (over) return
      end()
      const error = request.error
      reject(storageFailed(`database ${name}: ${error?.message ?? 'cannot be opened'}`, error))
    }
  })
}

/**
 * Opens a replica's database, making it if there is none. A `versionchange` from elsewhere closes it at once.
 * Rejects with `StorageFailed`, or `UpdateNeeded` if its schema is a later one.
 */
export async function openDatabase(databases: IDBFactory, name: string): Promise<Database> {
  const request = databases.open(name)
  request.onupgradeneeded = () => {
    for (const store of ['identity', 'state', 'log', 'snapshot']) request.result.createObjectStore(store)
  }
  const database = await connection(request, name)
  const schema = Math.floor(database.version / CLAIMS)
  if (schema > SCHEMA_VERSION) {
    database.close()
    const known = `this page knows schema ${SCHEMA_VERSION}`
    throw new KeeperError('UpdateNeeded', `database ${name} has schema ${schema}, ${known}: reload it`)
  }
  return database
}

/**
 * Opens `db` anew under its next version, in place of `db`. No two connections of different versions can be open: who held the
 * database before has been told to let go of it, has finished what was under way, and never writes again, so that a write need
 * not ask whose log it is. Rejects with `StorageFailed` if another connection does not let go.
 */
export async function claimDatabase(databases: IDBFactory, db: Database): Promise<Database> {
  const { name, version } = db
  db.close()
  return await connection(databases.open(name, Math.max(version, SCHEMA_VERSION * CLAIMS) + 1), name)
}

async function connection(request: IDBOpenDBRequest, name: string): Promise<Database> {
  const database = await opened<IDBDatabase>(request, name, (late) => late.close())
  database.onversionchange = () => database.close()
  return wrap(database) as unknown as Database
}

export async function deleteDatabase(databases: IDBFactory, name: string): Promise<void> {
  await opened<unknown>(databases.deleteDatabase(name), name, () => {})
}

/** The random id of this browser profile, made once: what tells failure domains apart. */
export async function browserId(databases: IDBFactory, name: string): Promise<string> {
  const request = databases.open(name, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('browser').put(crypto.randomUUID(), 'id')
  }
  const database = await opened<IDBDatabase>(request, name, (late) => late.close())
  try {
    const id: unknown = await wrap(database).get('browser', 'id')
    if (typeof id !== 'string') throw storageFailed(`database ${name} holds no id`)
    return id
  } finally {
    database.close()
  }
}
