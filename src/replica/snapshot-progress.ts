import type { Peer } from '../zab/peer.ts'

/** How much of a snapshot has come from the leader, or from whoever this replica follows. */
export interface SnapshotProgress {
  /** Of this transfer, so far. How much there will be nobody knows: it is drawn while it is sent. */
  readonly bytes: number
  /** All of it is here; what the leader committed meanwhile follows, then this replica serves. */
  readonly complete: boolean
}

/** Milliseconds between two words about one transfer. */
const PAUSE = 100

/** Asked after each chunk; says what is new, at most every 100 ms, and the end. */
export class SnapshotMeter {
  #chunks: readonly Uint8Array[] | null = null
  #counted = 0
  #bytes = 0
  #toldAt = 0

  read({ role }: Readonly<Peer>, now: number): SnapshotProgress | null {
    const staged = role.kind === 'following' && role.staged?.mode === 'snap' ? role.staged : null
    if (staged === null) return null
    if (staged.chunks !== this.#chunks) {
      this.#chunks = staged.chunks
      this.#counted = this.#bytes = 0
    }
    const { chunks, complete } = staged
    for (; this.#counted < chunks.length; this.#counted++) this.#bytes += chunks[this.#counted]?.length ?? 0
    if (!complete && now - this.#toldAt < PAUSE) return null
    this.#toldAt = now
    // Not to be kept from the collector.
    if (complete) this.#chunks = null
    return { bytes: this.#bytes, complete }
  }
}
