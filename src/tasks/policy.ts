import type { Labels } from './names.ts'

/** A worker as the choice sees it. */
export interface WorkerLoad {
  readonly wid: string
  readonly slots: number
  readonly labels: Labels
  readonly names: ReadonlySet<string>
  /** Leases in its mailbox. */
  readonly used: number
  /** Grows with every assignment: the one that was served longest ago has the smallest. */
  readonly served: number
}

export interface Demand {
  readonly name: string
  readonly requires: Labels
}

export const suits = (worker: WorkerLoad, demand: Demand): boolean =>
  worker.names.has(demand.name) && Object.entries(demand.requires).every(([key, label]) => worker.labels[key] === label)

/** The suitable worker with most free slots; of equals the one served longest ago. Null: none is free. */
export function chooseWorker<W extends WorkerLoad>(workers: Iterable<W>, demand: Demand): W | null {
  let best: W | null = null
  let bestFree = 0
  for (const worker of workers) {
    const free = worker.slots - worker.used
    if (free < 1 || free < bestFree || (free === bestFree && best !== null && worker.served > best.served)) continue
    if (!suits(worker, demand)) continue
    best = worker
    bestFree = free
  }
  return best
}
