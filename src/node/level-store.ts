import { mkdir, realpath } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'

/** What lasts in one directory: LevelDB, bytes under ordered keys. */
export type Level = ClassicLevel<string, Uint8Array>

export const IDENTITY = 'identity'
export const STATE = 'state'

const digits = (value: number): string => value.toString(16).padStart(14, '0')
/** In the order of zxids. */
export const logKey = (zxid: Zxid): string => `log/${digits(zxid)}`
export const LOG_END = 'log/~'
export const logZxid = (key: string): Zxid => Number.parseInt(key.slice(4), 16) as Zxid
export const chunkPrefix = (zxid: Zxid, serial: number): string => `snapshot/${digits(zxid)}/${digits(serial)}/`
export const chunkKey = (zxid: Zxid, serial: number, index: number): string => chunkPrefix(zxid, serial) + digits(index)
export const SNAPSHOTS = { gte: 'snapshot/', lt: 'snapshot/~' } as const

export const storageFailed = (what: string, cause?: unknown): KeeperError =>
  new KeeperError('StorageFailed', what, { cause })

/**
 * Directories that are open in this process, or about to be. LevelDB would refuse one that is open here already, but by closing a file: with that, POSIX
 * ends the process's lock on it (fcntl(2)), and another process could open the directory beside us.
 */
const openHere = new Set<string>()

/**
 * One directory's database, which no other process can open meanwhile (LevelDB's own lock), and the turn-taking of those
 * who use it in this one. Whoever claims it last writes; the earlier ones cannot any more.
 */
export class LevelStore {
  readonly directory: string
  readonly db: Level
  /** Of the claim that may write. */
  incarnation = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(directory: string, db: Level) {
    this.directory = directory
    this.db = db
  }

  /** Makes the directory if need be. Rejects with StorageFailed, also where it is open already, here or in another process. */
  static async open(directory: string): Promise<LevelStore> {
    const refused = (error: unknown): KeeperError =>
      storageFailed(`the directory ${directory} cannot be opened: ${reasonOf(error)}`, error)
    let real: string
    try {
      await mkdir(directory, { recursive: true })
      real = await realpath(directory)
    } catch (error) {
      throw refused(error)
    }
    if (openHere.has(real)) throw refused(new Error('it is open in this process already'))
    openHere.add(real)
    const db: Level = new ClassicLevel<string, Uint8Array>(directory, { keyEncoding: 'utf8', valueEncoding: 'view' })
    try {
      await db.open()
    } catch (error) {
      openHere.delete(real)
      throw refused(error)
    }
    return new LevelStore(real, db)
  }

  /** Runs `work` once all earlier work has ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  close(): Promise<void> {
    return this.inTurn(async () => {
      await this.db.close()
      openHere.delete(this.directory)
    })
  }
}

/** LevelDB hides what went wrong in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
