import { Heap } from './heap.ts'
import { chooseWorker } from './policy.ts'
import type { TaskClass, TaskIndex } from './task-index.ts'
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
 * Takes waiting tasks in their order (priority, then czxid) while a suitable worker has a free slot. A task that suits no
 * free worker holds up only those with its demand, not the ones behind it.
 */
export function assignBatch(tasks: TaskIndex, workers: WorkerIndex): readonly Assign[] {
  const assigns: Assign[] = []
  if (workers.free === 0) return assigns
  const open = new Heap<TaskClass>((a, b) => a.isBefore(b))
  for (const group of tasks.classes()) if (group.head() !== null) open.push(group)
  while (assigns.length < ASSIGN_BATCH && workers.free > 0) {
    const group = open.pop()
    const task = group?.head() ?? null
    if (group === undefined || task === null) break
    const worker = chooseWorker(workers.all(), group)
    if (worker === null) continue
    workers.serve(worker)
    group.takeHead()
    assigns.push({
      id: task.id,
      wid: worker.wid,
      attempt: task.attempt,
      taskVersion: task.version,
      workerVersion: worker.version,
    })
    if (group.head() !== null) open.push(group)
  }
  return assigns
}
