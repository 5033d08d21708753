import type { Zxid } from '../base/zxid.ts'

/**
 * One record of the replicated log. `txn` bytes are opaque to zab; it reads `config` (who votes) and `format` (which
 * log format a replica must know) itself.
 */
export interface Entry {
  readonly zxid: Zxid
  readonly kind: 'txn' | 'config' | 'format'
  readonly bytes: Uint8Array
}

export const ENTRY_KINDS = ['txn', 'config', 'format'] as const

/** What an entry costs in a batch: its bytes and a header. */
export const entryBytes = (entry: Entry): number => entry.bytes.length + 16
