import { fnv1a } from '../recipes/hash.ts'
import type { Labels } from './names.ts'

/** A worker as the choice sees it. */
export interface WorkerLoad {
  readonly wid: string
  readonly slots: number
  readonly labels: Labels
  readonly names: ReadonlySet<string>
  /** Leases in its mailbox. */
  readonly used: number
  /** As measured, beside the other workers: 1 is their mean, 2 is twice as fast. */
  readonly speed: number
  /** Grows with every assignment: the one that was served longest ago has the smallest. */
  readonly served: number
}

export interface Demand {
  readonly name: string
  readonly requires: Labels
}

export const suits = (worker: WorkerLoad, demand: Demand): boolean =>
  worker.names.has(demand.name) && Object.entries(demand.requires).every(([key, label]) => worker.labels[key] === label)

/**
 * Of an affinity: the suitable worker with the highest hash of the two (rendezvous), if it has a free slot. Else the one with
 * the most free slots, weighted by speed; of equals the one served longest ago. Null: none is free. `affinity` '': none.
 */
export function chooseWorker<W extends WorkerLoad>(workers: Iterable<W>, demand: Demand, affinity = ''): W | null {
  let best: W | null = null
  let bestScore = 0
  let home: W | null = null
  let homeHash = -1
  for (const worker of workers) {
    if (worker.slots === 0 || !suits(worker, demand)) continue
    if (affinity !== '') {
      const hash = fnv1a(`${affinity}\n${worker.wid}`)
      if (hash > homeHash || (hash === homeHash && worker.wid < (home?.wid ?? ''))) {
        home = worker
        homeHash = hash
      }
    }
    const free = worker.slots - worker.used
    const score = free * worker.speed
    if (free < 1 || score < bestScore || (score === bestScore && best !== null && worker.served > best.served)) continue
    best = worker
    bestScore = score
  }
  return home !== null && home.used < home.slots ? home : best
}
