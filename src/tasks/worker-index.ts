import type { WorkerLoad } from './policy.ts'
import type { WorkerRecord } from './worker-record.ts'

interface Worker extends WorkerLoad {
  slots: number
  labels: WorkerRecord['labels']
  names: ReadonlySet<string>
  version: number
  used: number
  served: number
  speed: number
  /** It let a lease run out and has not said a word since: it gets nothing. */
  silent: boolean
}

/** Milliseconds added to each duration, so that what takes no time tells nothing about speed. */
const NOISE = 20

/** The workers that live, with their load. */
export class WorkerIndex {
  readonly #workers = new Map<string, Worker>()
  #free = 0
  #serving = 0
  /** The mean duration of each kind of task, over all workers; latest count most. */
  readonly #means = new Map<string, number>()

  get size(): number {
    return this.#workers.size
  }

  /** Slots of all. */
  get slots(): number {
    let sum = 0
    for (const { slots } of this.#workers.values()) sum += slots
    return sum
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
      speed: known?.speed ?? 1,
      silent: known?.silent === true && known.version === version,
    }
    if (worker.silent) worker.slots = 0
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

  /** Nothing for it until its node changes. */
  silent(wid: string): void {
    const worker = this.#workers.get(wid)
    if (worker === undefined) return
    this.#free -= freeOf(worker)
    worker.silent = true
    worker.slots = 0
  }

  /** How long a run of `name` took there, milliseconds. */
  took(wid: string, name: string, duration: number): void {
    const worker = this.#workers.get(wid)
    if (worker === undefined) return
    const took = duration + NOISE
    const mean = this.#means.get(name) ?? took
    this.#means.set(name, mean * 0.95 + took * 0.05)
    const seen = Math.min(10, Math.max(0.1, mean / took))
    worker.speed = worker.speed * 0.8 + seen * 0.2
  }

  /** Takes one slot for an assignment. */
  serve(chosen: Readonly<Worker>): void {
    this.used(chosen.wid, 1)
    const worker = this.#workers.get(chosen.wid)
    if (worker !== undefined) worker.served = ++this.#serving
  }
}

const freeOf = (worker: Worker): number => Math.max(0, worker.slots - worker.used)
