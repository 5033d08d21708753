import type { Zxid } from '../base/zxid.ts'
import type { ReplicaServer } from '../server/orders.ts'
import type { TxnLog } from '../storage/txn-log.ts'
import type { Change, Fact, Order } from '../zab/facts.ts'
import { configEntryAt } from '../zab/history.ts'
import type { Peer } from '../zab/peer.ts'
import { restoring } from '../zab/writes.ts'

/** So that writing snapshots costs no more than a few times what writing the log costs: one chunk holds some thousand znodes. */
const ENTRIES_A_CHUNK = 250

/** The replica's way to its log: all writes of one turn are one transaction; its end becomes the fact `stored`. */
export class Disk {
  readonly #log: TxnLog
  readonly #hear: (fact: Fact) => void
  #changes: Change[] = []
  #last = 0
  #relaxed = true
  #delivered = 0
  #snapshotting = false
  /** Of the last snapshot. */
  #chunks = 0
  failed = false

  constructor(log: TxnLog, hear: (fact: Fact) => void) {
    this.#log = log
    this.#hear = hear
    log.onlost = (why) => this.#fail(why)
  }

  write(order: Extract<Order, { kind: 'write' }>): void {
    this.#changes.push(...order.changes)
    this.#last = order.write
    this.#relaxed &&= order.relaxed
  }

  flush(committed: Zxid): void {
    if (this.#last === 0 || this.failed) return
    const write = this.#last
    const changes = this.#changes
    const relaxed = this.#relaxed
    this.#changes = []
    this.#last = 0
    this.#relaxed = true
    this.#log.write(changes, { relaxed, committed }).then(
      () => this.#hear({ kind: 'stored', write }),
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    if (this.failed) return
    this.failed = true
    this.#hear({ kind: 'storeFailed', reason: error instanceof Error ? error.message : String(error) })
  }

  delivered(entries: number): void {
    this.#delivered += entries
  }

  /**
   * Every so many delivered entries, more of them where a snapshot is large: a consistent snapshot of what is applied, drawn
   * while the replica goes on, and the log before it goes. Never on the way of an ack.
   */
  snapshotIfDue(peer: Peer, server: ReplicaServer, every: number): void {
    const due = Math.max(every, this.#chunks * ENTRIES_A_CHUNK)
    if (this.#delivered < due || this.#snapshotting || this.failed || restoring(peer)) return
    const { delivered } = peer
    this.#delivered = 0
    this.#snapshotting = true
    this.#log.saveSnapshot(delivered, configEntryAt(peer.history, delivered), server.snapshot(), delivered).then(
      (chunks) => {
        this.#chunks = chunks
        this.#snapshotting = false
        this.#hear({ kind: 'compacted', zxid: delivered })
      },
      (error: unknown) => this.#fail(error),
    )
  }
}
