import { assert, unreachable } from '../base/assert.ts'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { follows, ZXID_NONE, type Zxid } from '../base/zxid.ts'
import { type Entry, entryBytes } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import type { Remembered } from '../zab/standing.ts'
import type { Recovered, TxnLog } from './txn-log.ts'

/** What outlives a MemoryTxnLog: the "disk" on which a later one opens. */
export class MemoryDisk {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  incarnation = 0
  acceptedEpoch = 0
  currentEpoch = 0
  committed: Zxid = ZXID_NONE
  base: Zxid = ZXID_NONE
  baseConfig: Entry | null = null
  snapshot: readonly Uint8Array[] = []
  /** Behind `logFrom`, without holes. */
  entries: Entry[] = []
  logFrom: Zxid = ZXID_NONE
  memory: readonly Remembered[] = []
  demoted = false

  constructor(ensemble: EnsembleId, replica: ReplicaId, founding: readonly Entry[] = []) {
    this.ensemble = ensemble
    this.replica = replica
    this.entries.push(...founding)
  }

  get last(): Zxid {
    return this.entries.at(-1)?.zxid ?? this.base
  }
}

/** A log for Node, tests and the simulator. A write is on the disk when `write` returns. */
export class MemoryTxnLog implements TxnLog {
  readonly #disk: MemoryDisk
  readonly #incarnation: number
  #failure: KeeperError | null = null

  /** Claims the disk: whoever wrote to it before cannot any more. */
  constructor(disk: MemoryDisk) {
    this.#disk = disk
    this.#incarnation = ++disk.incarnation
  }

  /** What a replica that opens this log now finds. */
  recover(): Recovered {
    const disk = this.#disk
    const last = disk.last
    return {
      ensemble: disk.ensemble,
      replica: disk.replica,
      incarnation: this.#incarnation,
      acceptedEpoch: disk.acceptedEpoch,
      currentEpoch: disk.currentEpoch,
      base: disk.base,
      baseConfig: disk.baseConfig,
      snapshot: disk.snapshot,
      entries: disk.entries.slice(firstBehind(disk.entries, disk.base)),
      memory: disk.memory,
      demoted: disk.demoted,
      committed: Math.min(disk.committed, last) as Zxid,
    }
  }

  async write(
    changes: readonly Change[],
    options: { readonly relaxed: boolean; readonly committed: Zxid },
  ): Promise<void> {
    this.#check()
    if (options.committed > this.#disk.committed) this.#disk.committed = options.committed
    for (const change of changes) apply(this.#disk, change)
  }

  async saveSnapshot(zxid: Zxid, config: Entry | null, chunks: Iterable<Uint8Array>, keepFrom: Zxid): Promise<number> {
    this.#check()
    const drawn = [...chunks]
    assert(keepFrom <= zxid, 'a snapshot stands behind what it makes forgettable')
    const disk = this.#disk
    if (zxid <= disk.base || zxid > disk.last) return drawn.length
    const forgotten = firstBehind(disk.entries, keepFrom)
    const gone = disk.entries.splice(0, forgotten)
    disk.logFrom = gone.at(-1)?.zxid ?? disk.logFrom
    disk.base = zxid
    disk.baseConfig = config
    disk.snapshot = drawn
    return drawn.length
  }

  async usage(): Promise<{ readonly entries: number; readonly bytes: number | null }> {
    const bytes = this.#disk.entries.reduce((sum, entry) => sum + entryBytes(entry), 0)
    return { entries: this.#disk.entries.length, bytes }
  }

  async close(): Promise<void> {
    this.#failure ??= new KeeperError('Closed', 'the log was closed')
  }

  #check(): void {
    if (this.#failure === null && this.#disk.incarnation !== this.#incarnation) {
      this.#failure = new KeeperError('StorageFailed', 'claimed anew: another worker has taken over this log')
    }
    if (this.#failure !== null) throw this.#failure
  }
}

function apply(disk: MemoryDisk, change: Change): void {
  switch (change.kind) {
    case 'append':
      for (const entry of change.entries) {
        assert(follows(disk.last, entry.zxid), 'append does not follow the log')
        disk.entries.push(entry)
      }
      return
    case 'acceptedEpoch':
      disk.acceptedEpoch = change.epoch
      return
    case 'currentEpoch':
      disk.currentEpoch = change.epoch
      return
    case 'remember':
      disk.memory = change.of
      return
    case 'demoted':
      disk.demoted = change.demoted
      return
    case 'truncate':
      if (change.zxid < disk.base) {
        assert(disk.logFrom === ZXID_NONE, 'cut behind a snapshot whose log is forgotten')
        disk.base = ZXID_NONE
        disk.baseConfig = null
        disk.snapshot = []
      }
      disk.entries.length = firstBehind(disk.entries, change.zxid)
      if (disk.committed > change.zxid) disk.committed = change.zxid
      return
    case 'install':
      disk.base = change.zxid
      disk.logFrom = change.zxid
      disk.baseConfig = change.config
      disk.snapshot = [...change.chunks]
      disk.entries = []
      return
    default:
      unreachable(change)
  }
}

/** The index of the first entry behind `zxid`. */
function firstBehind(entries: readonly Entry[], zxid: Zxid): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as Entry).zxid <= zxid) low = middle + 1
    else high = middle
  }
  return low
}
