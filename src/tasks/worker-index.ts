import type { WorkerLoad } from './policy.ts'
import type { WorkerRecord } from './worker-record.ts'

interface Worker extends WorkerLoad {
  slots: number
  labels: WorkerRecord['labels']
  names: ReadonlySet<string>
  version: number
  used: number
  served: number
}

/** The workers that live, with their load. */
export class WorkerIndex {
  readonly #workers = new Map<string, Worker>()
  #free = 0
  #serving = 0

  get size(): number {
    return this.#workers.size
  }

  /** Free slots of all. */
  get free(): number {
    return this.#free
  }

  has(wid: string): boolean {
    return this.#workers.has(wid)
  }

  all(): Iterable<Readonly<Worker>> {
    return this.#workers.values()
  }

  put(wid: string, record: WorkerRecord, version: number, used: number): void {
    const known = this.#workers.get(wid)
    if (known !== undefined && known.version > version) return
    this.remove(wid)
    const worker: Worker = {
      wid,
      slots: record.slots,
      labels: record.labels,
      names: new Set(record.names),
      version,
      used,
      served: known?.served ?? 0,
    }
    this.#workers.set(wid, worker)
    this.#free += freeOf(worker)
  }

  remove(wid: string): void {
    const worker = this.#workers.get(wid)
    if (worker === undefined) return
    this.#free -= freeOf(worker)
    this.#workers.delete(wid)
  }

  /** Counts leases of a worker up or down; false if it is not known. */
  used(wid: string, change: number): boolean {
    const worker = this.#workers.get(wid)
    if (worker === undefined) return false
    this.#free -= freeOf(worker)
    worker.used += change
    this.#free += freeOf(worker)
    return true
  }

  /** Takes one slot for an assignment. */
  serve(chosen: Readonly<Worker>): void {
    this.used(chosen.wid, 1)
    const worker = this.#workers.get(chosen.wid)
    if (worker !== undefined) worker.served = ++this.#serving
  }
}

const freeOf = (worker: Worker): number => Math.max(0, worker.slots - worker.used)
