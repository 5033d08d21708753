import { Heap } from './heap.ts'
import { chooseWorker } from './policy.ts'
import type { DemandLine } from './ready.ts'
import type { TaskIndex } from './task-index.ts'
import type { WorkerIndex } from './worker-index.ts'

/** One lease to create, with the versions that its transaction checks. */
export interface Assign {
  readonly id: string
  readonly wid: string
  readonly attempt: number
  readonly taskVersion: number
  readonly workerVersion: number
}

/** Assignments in one transaction: enough to spread its cost, few enough that one refusal undoes little. */
export const ASSIGN_BATCH = 32

/**
 * Takes waiting tasks in their order (whose turn it is among the groups, priority, czxid) while a suitable worker has a free
 * slot. A task that suits no free worker holds up only those with its demand, not the ones behind it.
 */
export function assignBatch(tasks: TaskIndex, workers: WorkerIndex): readonly Assign[] {
  const assigns: Assign[] = []
  const { ready } = tasks
  if (workers.free === 0 || !ready.isOpen) return assigns
  const open = new Heap<DemandLine>((a, b) => a.isBefore(b))
  for (const demand of ready.demands()) open.push(demand)
  while (assigns.length < ASSIGN_BATCH && workers.free > 0 && ready.isOpen) {
    const demand = open.pop()
    if (demand === undefined) break
    const task = ready.next(demand)
    if (task === null) continue
    const worker = chooseWorker(workers.all(), demand, task.affinity)
    if (worker === null) continue
    workers.serve(worker)
    ready.take(demand)
    tasks.hold(task.id, true)
    assigns.push({
      id: task.id,
      wid: worker.wid,
      attempt: task.attempt,
      taskVersion: task.version,
      workerVersion: worker.version,
    })
    open.push(demand)
  }
  return assigns
}
