import { assert, unreachable } from '../base/assert.ts'
import { LIMITS } from '../base/limits.ts'
import { epochOf, follows, type Zxid } from '../base/zxid.ts'
import { type Entry, entryBytes } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import type { StateRecord } from './schema.ts'

/** A log record as the layout knows it: without its bytes. All of one epoch, so it has no gaps. */
export interface Batch {
  readonly first: Zxid
  readonly last: Zxid
}

const countOf = (batch: Batch): number => batch.last - batch.first + 1

/** What must happen in the database, in order, inside one transaction. */
export type Step =
  | { readonly kind: 'put'; readonly entries: readonly Entry[] }
  /** Delete all records behind `zxid`; shorten the one that starts at `split`. */
  | { readonly kind: 'cut'; readonly zxid: Zxid; readonly split: Zxid | null }
  /** Delete records that start at or before `zxid`. */
  | { readonly kind: 'forget'; readonly zxid: Zxid }
  | { readonly kind: 'clear' }
  /** Keep only the snapshot of this serial. */
  | { readonly kind: 'sweep'; readonly serial: number; readonly zxid: Zxid }
  | { readonly kind: 'chunks'; readonly serial: number; readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] }

/** A snapshot whose chunks are being written. */
export interface Written {
  readonly serial: number
  readonly generation: number
}

/** Which records the log has, as of the last write that was issued. Turns changes into steps; knows no database. */
export class Layout {
  #state: StateRecord
  #batches: Batch[]
  #first = 0
  #entries = 0
  #stateChanged = false
  #nextSerial: number
  /** Counts cuts and replacements. */
  #generation = 0

  constructor(state: StateRecord, batches: readonly Batch[], nextSerial: number) {
    this.#state = state
    this.#batches = [...batches]
    this.#nextSerial = nextSerial
    for (const batch of batches) this.#entries += countOf(batch)
  }

  get state(): StateRecord {
    return this.#state
  }

  /** Entries in the log's records. */
  get entries(): number {
    return this.#entries
  }

  /** The last zxid of log or snapshot. */
  get last(): Zxid {
    const batch = this.#batches.length > this.#first ? this.#batches.at(-1) : undefined
    return batch === undefined || batch.last < this.#state.base ? this.#state.base : batch.last
  }

  /** Has the state record changed since the last call? */
  takeStateChanged(): boolean {
    const changed = this.#stateChanged
    this.#stateChanged = false
    return changed
  }

  /** A snapshot is about to be written chunk by chunk. */
  beginSnapshot(): Written {
    return { serial: this.#nextSerial++, generation: this.#generation }
  }

  noteCommitted(committed: Zxid): void {
    if (committed > this.#state.committed) this.#state = { ...this.#state, committed }
  }

  /** Appends that stand next to each other become one record. Throws AssertionError on a change that does not fit. */
  plan(changes: readonly Change[]): Step[] {
    const steps: Step[] = []
    let run: Entry[] = []
    const flush = (): void => {
      for (const entries of inRecords(run)) {
        this.#batches.push({ first: (entries[0] as Entry).zxid, last: (entries.at(-1) as Entry).zxid })
        steps.push({ kind: 'put', entries })
      }
      this.#entries += run.length
      run = []
    }
    for (const change of changes) {
      if (change.kind === 'append') {
        for (const entry of change.entries) {
          assert(follows(run.at(-1)?.zxid ?? this.last, entry.zxid), 'append does not follow the log')
          run.push(entry)
        }
        continue
      }
      flush()
      this.#planOne(change, steps)
    }
    flush()
    return steps
  }

  #planOne(change: Exclude<Change, { kind: 'append' }>, steps: Step[]): void {
    switch (change.kind) {
      case 'acceptedEpoch':
        this.#change({ acceptedEpoch: change.epoch })
        break
      case 'currentEpoch':
        this.#change({ currentEpoch: change.epoch })
        break
      case 'remember':
        this.#change({ memory: change.of })
        break
      case 'demoted':
        this.#change({ demoted: change.demoted })
        break
      case 'truncate':
        this.#truncate(change.zxid, steps)
        break
      case 'install': {
        const serial = this.#nextSerial++
        this.#batches = []
        this.#first = 0
        this.#entries = 0
        this.#generation++
        this.#change({ logFrom: change.zxid, ...snapshotAt(change.zxid, change.config, serial, change.chunks.length) })
        steps.push(
          { kind: 'clear' },
          { kind: 'chunks', serial, zxid: change.zxid, chunks: change.chunks },
          { kind: 'sweep', serial, zxid: change.zxid },
        )
        break
      }
      default:
        unreachable(change)
    }
  }

  #truncate(zxid: Zxid, steps: Step[]): void {
    if (zxid < this.#state.base) {
      assert(this.#state.logFrom === 0, 'cut behind a snapshot whose log is forgotten')
      const serial = this.#nextSerial++
      this.#change(snapshotAt(0 as Zxid, null, serial, 0))
      steps.push({ kind: 'sweep', serial, zxid })
    }
    let split: Zxid | null = null
    while (this.#batches.length > this.#first) {
      const batch = this.#batches.at(-1) as Batch
      if (batch.last <= zxid) break
      this.#batches.pop()
      this.#entries -= countOf(batch)
      if (batch.first > zxid) continue
      const kept = { first: batch.first, last: zxid }
      this.#batches.push(kept)
      this.#entries += countOf(kept)
      split = batch.first
      break
    }
    this.#generation++
    if (this.#state.committed > zxid) this.#change({ committed: zxid })
    steps.push({ kind: 'cut', zxid, split })
  }

  /**
   * The snapshot with this serial, whose chunks are all written, comes into force. Not if the log was cut or replaced since
   * its writing began, or has a later one.
   */
  planSnapshot(zxid: Zxid, config: Entry | null, written: Written, chunks: number, keepFrom: Zxid): Step[] {
    assert(keepFrom <= zxid, 'a snapshot stands behind what it makes forgettable')
    if (written.generation !== this.#generation || zxid <= this.#state.base || zxid > this.last) {
      return [{ kind: 'sweep', serial: this.#state.snapshotSerial, zxid: this.#state.base }]
    }
    let logFrom = this.#state.logFrom
    for (let batch = this.#batches[this.#first]; batch !== undefined && batch.last <= keepFrom; ) {
      logFrom = batch.last
      this.#entries -= countOf(batch)
      batch = this.#batches[++this.#first]
    }
    if (this.#first > 1024 && this.#first * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#first)
      this.#first = 0
    }
    this.#change({ logFrom, ...snapshotAt(zxid, config, written.serial, chunks) })
    return [
      { kind: 'forget', zxid: logFrom },
      { kind: 'sweep', serial: written.serial, zxid },
    ]
  }

  #change(change: Partial<StateRecord>): void {
    this.#state = { ...this.#state, ...change }
    this.#stateChanged = true
  }
}

const snapshotAt = (base: Zxid, baseConfig: Entry | null, snapshotSerial: number, snapshotChunks: number) => ({
  base,
  baseConfig,
  snapshotSerial,
  snapshotChunks,
})

/** A run of entries in records of one epoch and at most LIMITS.batchBytesMax (or one entry). */
function* inRecords(run: readonly Entry[]): Generator<readonly Entry[]> {
  let from = 0
  let bytes = 0
  for (let i = 0; i < run.length; i++) {
    const entry = run[i] as Entry
    const size = entryBytes(entry)
    const later = epochOf(entry.zxid) !== epochOf((run[from] as Entry).zxid)
    if (i > from && (later || bytes + size > LIMITS.batchBytesMax)) {
      yield run.slice(from, i)
      from = i
      bytes = 0
    }
    bytes += size
  }
  if (from < run.length) yield run.slice(from)
}
