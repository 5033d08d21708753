import type { Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'

/** What a learner has received of a synchronization and not yet made durable. */
export interface Staged {
  readonly mode: 'diff' | 'trunc' | 'snap'
  readonly from: Zxid
  readonly config: Entry | null
  readonly chunks: Uint8Array[]
  complete: boolean
  readonly entries: Entry[]
}
