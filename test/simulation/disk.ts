import { KeeperError } from '../../src/base/errors.ts'
import type { EnsembleId, ReplicaId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import type { Recovered, TxnLog } from '../../src/storage/txn-log.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Change } from '../../src/zab/facts.ts'
import type { Remembered } from '../../src/zab/standing.ts'
import type { Owner, World } from './world.ts'

/** What is on one simulated disk. */
export interface DiskState {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  incarnation: number
  acceptedEpoch: number
  currentEpoch: number
  base: Zxid
  baseConfig: Entry | null
  snapshot: readonly Uint8Array[]
  entries: Entry[]
  committed: Zxid
  memory: readonly Remembered[]
  demoted: boolean
  /** How often it learned that it had gone backwards. */
  demotions: number
  /** What it had held before it went backwards, each time. */
  ghosts: readonly DiskState[]
}

export const emptyDisk = (ensemble: EnsembleId, replica: ReplicaId, entries: readonly Entry[]): DiskState => ({
  ensemble,
  replica,
  incarnation: 0,
  acceptedEpoch: 0,
  currentEpoch: 0,
  base: 0 as Zxid,
  baseConfig: null,
  snapshot: [],
  entries: [...entries],
  committed: 0 as Zxid,
  memory: [],
  demoted: false,
  demotions: 0,
  ghosts: [],
})

export const copyOf = (disk: DiskState): DiskState => ({ ...disk, entries: [...disk.entries], ghosts: [] })

/** The disk becomes what it once was. `aware`: its owner can tell. */
export function goBack(disk: DiskState, to: DiskState, aware: boolean): void {
  const { acceptedEpoch, currentEpoch, base, baseConfig, snapshot, entries, committed, memory, demoted } = to
  const ghosts = [...disk.ghosts, copyOf(disk)]
  const old = { acceptedEpoch, currentEpoch, base, baseConfig, snapshot, committed, memory }
  Object.assign(disk, old, { entries: [...entries], demoted: demoted || aware, ghosts })
}

export function applyChanges(disk: DiskState, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'append') disk.entries.push(...change.entries)
    else if (change.kind === 'truncate') disk.entries = disk.entries.filter((entry) => entry.zxid <= change.zxid)
    else if (change.kind === 'acceptedEpoch') disk.acceptedEpoch = change.epoch
    else if (change.kind === 'currentEpoch') disk.currentEpoch = change.epoch
    else if (change.kind === 'remember') disk.memory = change.of
    else if (change.kind === 'demoted') {
      disk.demoted = change.demoted
      if (change.demoted) disk.demotions++
    } else {
      disk.base = change.zxid
      disk.baseConfig = change.config
      disk.snapshot = change.chunks
      disk.entries = []
    }
  }
}

/** Is the entry there, or in the snapshot? */
export function onDisk(disk: DiskState, zxid: Zxid): boolean {
  if (disk.base >= zxid) return true
  for (let i = disk.entries.length - 1; i >= 0; i--) {
    const at = disk.entries[i]?.zxid ?? 0
    if (at <= zxid) return at === zxid
  }
  return false
}

/** Counts for a quorum: what it holds, or held before it went backwards. One that was demoted does not count with what it got since. */
export const holds = (disk: DiskState, zxid: Zxid): boolean =>
  (!disk.demoted && onDisk(disk, zxid)) || disk.ghosts.some((ghost) => onDisk(ghost, zxid))

export const recover = (disk: DiskState): Recovered => ({
  ...disk,
  entries: [...disk.entries],
  committed: Math.min(disk.committed, disk.entries.at(-1)?.zxid ?? disk.base) as Zxid,
})

export interface DiskFaults {
  /** Mean latency of a write, milliseconds. */
  readonly latency: number
  /** A write that takes much longer. */
  readonly stall: number
  /** A write that fails; so does every later one. */
  readonly failure: number
}

interface Issued {
  readonly land: () => void
  readonly resolve: () => void
}

/** A TxnLog with latency. Writes become durable one after another; a crash keeps a prefix of those that were issued. */
export class SimulatedLog implements TxnLog {
  readonly #world: World
  readonly #owner: Owner
  readonly #disk: DiskState
  readonly #faults: DiskFaults
  readonly #incarnation: number
  readonly #onDisk: (kind: 'issue' | 'stored') => void
  readonly #issued: Issued[] = []
  /** How many of the issued writes are in the running transaction. */
  #running = 0
  #failed = false
  #closed = false

  constructor(
    world: World,
    owner: Owner,
    disk: DiskState,
    faults: DiskFaults,
    onDisk: (kind: 'issue' | 'stored') => void,
  ) {
    this.#onDisk = onDisk
    this.#world = world
    this.#owner = owner
    this.#disk = disk
    this.#faults = faults
    this.#incarnation = disk.incarnation
  }

  write(changes: readonly Change[], options: { readonly relaxed: boolean; readonly committed: Zxid }): Promise<void> {
    return this.#issue(() => {
      applyChanges(this.#disk, changes)
      const last = this.#disk.entries.at(-1)?.zxid ?? this.#disk.base
      this.#disk.committed = Math.max(this.#disk.base, Math.min(options.committed, last)) as Zxid
    })
  }

  /** The first chunk is drawn at once, the others when it lands: what happens meanwhile must not show in them. */
  async saveSnapshot(zxid: Zxid, config: Entry | null, chunks: Iterable<Uint8Array>): Promise<number> {
    const rest = chunks[Symbol.iterator]()
    const first = rest.next()
    let drawn: Uint8Array[] = []
    await this.#issue(() => {
      drawn = first.done === true ? [] : [first.value, ...{ [Symbol.iterator]: () => rest }]
      this.#disk.base = zxid
      this.#disk.baseConfig = config
      this.#disk.snapshot = drawn
      this.#disk.entries = this.#disk.entries.filter((entry) => entry.zxid > zxid)
      this.#disk.committed = Math.max(this.#disk.committed, zxid) as Zxid
    })
    return drawn.length
  }

  #issue(land: () => void): Promise<void> {
    const chance = this.#world.chance('disk')
    if (this.#closed || this.#failed) return Promise.reject(new KeeperError('StorageFailed', 'the disk has failed'))
    if (chance.is(this.#faults.failure)) {
      this.#failed = true
      return Promise.reject(new KeeperError('StorageFailed', 'the disk is full'))
    }
    return new Promise((resolve) => {
      this.#issued.push({ land, resolve })
      if (this.#running === 0) this.#begin()
      this.#onDisk('issue')
    })
  }

  /** Group commit: what was issued while a transaction ran shares the next one. The disk works on while its owner is frozen; only the news waits. */
  #begin(): void {
    const chance = this.#world.chance('disk')
    this.#running = this.#issued.length
    const took = chance.exp(this.#faults.latency) + (chance.is(this.#faults.stall) ? chance.int(200, 1500) : 0)
    this.#world.after(took, null, () => {
      const done = this.#issued.splice(0, this.#running)
      this.#running = 0
      for (const { land, resolve } of done) {
        if (this.#disk.incarnation === this.#incarnation) land()
        this.#onDisk('stored')
        this.#world.after(0, this.#owner, resolve)
      }
      if (this.#issued.length > 0 && !this.#closed) this.#begin()
    })
  }

  /** Some of what was issued reached the disk, in order, and nothing after it. */
  crash(keep: number): void {
    for (const issued of this.#issued.slice(0, keep)) issued.land()
    this.#issued.length = 0
    this.#closed = true
  }

  get pending(): number {
    return this.#issued.length
  }

  usage(): Promise<{ readonly entries: number; readonly bytes: number | null }> {
    return Promise.resolve({ entries: this.#disk.entries.length, bytes: null })
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}
