import { NO_SESSION } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import { decodeTxn } from '../../../src/jute/txns.ts'
import type { LogEntry, ReplicaState, Stamp } from './types.ts'
import { logged } from './wire.ts'

/** The committed log as replicas deliver it: each entry when anybody delivers it first. Gives out the harness's stamps. */
export class Journal {
  readonly #entries = new Map<Zxid, LogEntry>()
  readonly states: ReplicaState[] = []
  readonly #now: () => number
  #at = 0

  constructor(now: () => number) {
    this.#now = now
  }

  readonly stamp = (): Stamp => ({ at: this.#at++, ms: this.#now() })

  txn(zxid: Zxid, bytes: Uint8Array): void {
    if (!this.#entries.has(zxid)) this.#entries.set(zxid, { zxid, ...logged(decodeTxn(bytes)), ...this.stamp() })
  }

  /** A session ended there: where a replica should be counted. */
  closes(zxid: Zxid): boolean {
    return this.#entries.get(zxid)?.body.kind === 'closeSession'
  }

  config(zxid: Zxid, text: string): void {
    if (this.#entries.has(zxid)) return
    const nobody = { session: NO_SESSION, cxid: 0, origin: 0, time: 0 }
    this.#entries.set(zxid, { zxid, ...nobody, body: { kind: 'config', text }, ...this.stamp() })
  }

  get log(): readonly LogEntry[] {
    return [...this.#entries.values()].sort((a, b) => a.zxid - b.zxid)
  }
}
