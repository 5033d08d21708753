import type { Stat } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { untilAnswered } from '../recipes/retry.ts'
import type { LeaseFacts } from './lease-index.ts'
import { readConfig } from './queue-config.ts'
import { leaseName, type QueuePaths } from './queue-paths.ts'
import { dueAt } from './task-facts.ts'
import { standpoint } from './task-reason.ts'
import { isTerminal, readRecord, type TaskRecord } from './task-record.ts'
import type { TaskReport } from './task-types.ts'
import type { TaskWorld } from './task-world.ts'
import { decodeWorker, type WorkerRecord } from './worker-record.ts'

/** Where the task's lease is: one question for each worker. */
async function leaseOf(world: TaskWorld, queue: QueuePaths, id: string, attempt: number): Promise<LeaseFacts | null> {
  const { client } = world
  const workers = await childrenOf(client, queue.mailboxes)
  const found = await Promise.all(
    workers.map(async (wid) => {
      const path = `${queue.mailbox(wid)}/${leaseName(id, attempt)}`
      return (await untilAnswered(client, () => client.exists(path))) === null ? [] : [{ wid, id, attempt }]
    }),
  )
  return found.flat()[0] ?? null
}

async function workersOf({ client }: TaskWorld, queue: QueuePaths): Promise<readonly WorkerRecord[]> {
  const workers = await childrenOf(client, queue.workers)
  const nodes = await Promise.all(
    workers.map((wid) => untilAnswered(client, () => dataOrNull(client, queue.worker(wid)))),
  )
  return nodes.flatMap((node) => {
    try {
      return node === null ? [] : [decodeWorker(node.data)]
    } catch {
      return []
    }
  })
}

/** Reads what is needed to say where a task stands and why. Nothing here looks at other tasks than those it waits for. */
export async function reportOf(
  world: TaskWorld,
  queue: QueuePaths,
  id: string,
  record: TaskRecord,
  stat: Stat,
): Promise<TaskReport> {
  const { client } = world
  const open = !isTerminal(record)
  const read = (path: string) => untilAnswered(client, () => dataOrNull(client, path))
  const lease = open ? await leaseOf(world, queue, id, record.attempt) : null
  const waits = open && lease === null
  const dependencies = waits && record.attempt === 0 ? record.after : []
  const states = await Promise.all(
    dependencies.map(async (one) => ({
      one,
      state: readRecord((await read(queue.record(one)))?.data ?? null)?.state ?? 'gone',
    })),
  )
  const { state, reason } = standpoint(record, {
    config: waits ? readConfig((await read(queue.root))?.data ?? null) : {},
    dispatched: waits ? (await read(queue.lead)) !== null : true,
    workers: waits ? await workersOf(world, queue) : [],
    lease,
    pending: states.flatMap(({ one, state }) => (state === 'wait' ? [one] : [])),
    failed: states.flatMap(({ one, state }) => (state === 'wait' || state === 'done' ? [] : [one])),
    due: dueAt(record, stat),
    now: world.wallTime(),
  })
  const { name, attempt, fails, crashes, progress, log, failure } = record
  return { id, name, state, reason, attempt, fails, crashes, progress, log, failure }
}
