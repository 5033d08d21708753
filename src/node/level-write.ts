import type { Zxid } from '../base/zxid.ts'
import type { Step } from '../storage/layout.ts'
import type { Entry } from '../zab/entry.ts'
import { decodeRun, encodeChunk, encodeRun } from './level-records.ts'
import { chunkKey, chunkPrefix, type Level, LOG_END, logKey, SNAPSHOTS, storageFailed } from './level-store.ts'

/** Steps as one LevelDB batch. A later step sees what an earlier one will have done. */
export class WriteBatch {
  readonly #db: Level
  readonly #committed: Zxid
  /** null: deleted. */
  readonly #changes = new Map<string, Uint8Array | null>()

  constructor(db: Level, committed: Zxid) {
    this.#db = db
    this.#committed = committed
  }

  put(key: string, value: Uint8Array): void {
    this.#changes.set(key, value)
  }

  async add(step: Step): Promise<void> {
    switch (step.kind) {
      case 'put':
        return this.put(logKey((step.entries[0] as Entry).zxid), encodeRun(step.entries, this.#committed))
      case 'clear':
        return this.#delete(logKey(0 as Zxid), LOG_END, () => true)
      case 'forget':
        return this.#delete(logKey(0 as Zxid), `${logKey(step.zxid)}~`, () => true)
      case 'chunks':
        for (const [index, bytes] of step.chunks.entries()) {
          this.put(chunkKey(step.zxid, step.serial, index), encodeChunk(bytes))
        }
        return
      case 'sweep': {
        const kept = chunkPrefix(step.zxid, step.serial)
        return this.#delete(SNAPSHOTS.gte, SNAPSHOTS.lt, (key) => !key.startsWith(kept))
      }
      case 'cut':
        if (step.split !== null) await this.#shorten(step.split, step.zxid)
        return this.#delete(logKey((step.zxid + 1) as Zxid), LOG_END, () => true)
    }
  }

  /** `sync`: on the disk when it resolves, not in the system's memory. */
  async write(sync: boolean): Promise<void> {
    if (this.#changes.size === 0) return
    const batch = this.#db.batch()
    for (const [key, value] of this.#changes) {
      if (value === null) batch.del(key)
      else batch.put(key, value)
    }
    await batch.write({ sync })
  }

  /** The record at `key` keeps its entries up to `zxid`. */
  async #shorten(first: Zxid, zxid: Zxid): Promise<void> {
    const key = logKey(first)
    const bytes = this.#changes.get(key) ?? (await this.#db.get(key))
    if (bytes === undefined) throw storageFailed(`the record ${key} is missing`)
    const kept = decodeRun(key, bytes).entries.filter((entry) => entry.zxid <= zxid)
    this.put(key, encodeRun(kept, this.#committed))
  }

  async #delete(gte: string, lt: string, gone: (key: string) => boolean): Promise<void> {
    for (const key of this.#changes.keys()) if (key >= gte && key < lt && gone(key)) this.#changes.set(key, null)
    for await (const key of this.#db.keys({ gte, lt })) if (gone(key)) this.#changes.set(key, null)
  }
}
