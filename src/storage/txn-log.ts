import type { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import type { Change } from '../zab/facts.ts'
import type { Remembered } from '../zab/standing.ts'

/** Of a forked ensemble: which one it comes from, and how far that one's log went. */
export interface Ancestry {
  readonly ensemble: EnsembleId
  readonly zxid: Zxid
}

/** Everything that a replica finds when it opens its log. */
export interface Recovered {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  /** Raised durably by the claim that opened this log, after which nobody who held it before can write. */
  readonly incarnation: number
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  /** The log's base: the snapshot's zxid, 0 without one. */
  readonly base: Zxid
  /** The newest configuration record at or below `base`. */
  readonly baseConfig: Entry | null
  readonly snapshot: readonly Uint8Array[]
  /** Every entry behind `base`, in order, without holes. */
  readonly entries: readonly Entry[]
  /** What this replica remembers of the other voters. */
  readonly memory: readonly Remembered[]
  /** This store went backwards, by what others said or by a garbled last record: it neither votes nor counts until it is let in again. */
  readonly demoted: boolean
  /** A hint, written lazily: everything up to here was committed. Never above the last entry. */
  readonly committed: Zxid
  /** Only of the replica that made the fork. */
  readonly forkedFrom?: Ancestry
}

/** Throws `UpdateNeeded` for a log of a format that this build does not know. */
export type DemandReadable = (log: Pick<Recovered, 'baseConfig' | 'entries'>) => void

/**
 * What a replica must not forget. Writes become durable in the order in which they were given; a crash keeps a prefix of
 * them, never half of one. Writes handed over in one turn may share one transaction.
 *
 * Every implementation passes test/conformance/txn-log.contract.ts.
 */
export interface TxnLog {
  /**
   * Starts to make `changes` durable, all or nothing. Resolves when they are; rejects with a KeeperError `StorageFailed`
   * when they are not, after which every later write rejects too: the role ends and the log is opened anew.
   * `committed` rides along as a hint.
   */
  write(changes: readonly Change[], options: { readonly relaxed: boolean; readonly committed: Zxid }): Promise<void>
  /**
   * Keeps a snapshot of the applied state at `zxid` and forgets the log up to `keepFrom` (≤ zxid). Not on the way of any ack.
   * On a real disk the chunks are drawn one by one, each when the one before it is written, so a large one holds up nobody:
   * what they are drawn from must stay as it was at `zxid`. Resolves with the number of chunks.
   */
  saveSnapshot(zxid: Zxid, config: Entry | null, chunks: Iterable<Uint8Array>, keepFrom: Zxid): Promise<number>
  /** Bytes used, for `inspect()`; null where the platform does not say. */
  usage(): Promise<{ readonly entries: number; readonly bytes: number | null }>
  /** Set by whoever must know at once that the platform took the log away (deleted, evicted, claimed anew), when nothing is being written. Called once. */
  onlost?: ((why: KeeperError) => void) | null
  /** Ends after what was issued. Nothing is written afterwards. */
  close(): Promise<void>
}
