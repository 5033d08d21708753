import type { Sample } from './workload.ts'

/** How tasks are added. Each is waited for to its result. Runs in Node and in a page. */
export interface TaskLoad {
  /** `each`: so many loops of one add and its result. `bulk`: so many at once, and the next when all have ended. */
  readonly kind: 'each' | 'bulk'
  readonly count: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** What one run gave. Latencies are from the call that adds to the result, milliseconds, sorted. */
export interface TaskSample extends Sample {
  /** Transactions of the whole ensemble over the tasks ended meanwhile; null where there is no such number. */
  readonly transactionsPerTask: number | null
}

/** A queue whose handlers do nothing. */
export interface NoopQueue {
  /** Resolves with the task's result. */
  one(): Promise<void>
  /** The results to wait for, once all are added. */
  many(count: number): Promise<readonly Promise<void>[]>
  /** The transactions so far, or null. */
  transactions(): Promise<number | null>
}

export const TASK_LOADS: readonly TaskLoad[] = (
  [
    ['each', 1],
    ['each', 64],
    ['bulk', 500],
  ] as const
).map(([kind, count]) => ({ kind, count, warmUpMs: 500, measureMs: 1_500 }))

/** What one load's rounds are called in the table. */
export const loadName = ({ kind, count }: TaskLoad): string =>
  kind === 'bulk' ? `${count} added at once` : count === 1 ? 'one at a time' : `${count} in flight`

export async function measureTasks(queue: NoopQueue, load: TaskLoad): Promise<TaskSample> {
  await play(queue, load, load.warmUpMs)
  const before = await queue.transactions()
  const { latencies, tookMs } = await play(queue, load, load.measureMs)
  const after = await queue.transactions()
  return {
    opsPerSecond: (latencies.length * 1000) / tookMs,
    latencies: latencies.sort((a, b) => a - b),
    transactionsPerTask: before === null || after === null ? null : (after - before) / latencies.length,
  }
}

/** Nothing new is begun after `ms`; what was begun is waited for and counts, and so does its time. */
async function play(queue: NoopQueue, { kind, count }: TaskLoad, ms: number) {
  const latencies: number[] = []
  const start = performance.now()
  const loop = async (): Promise<void> => {
    for (let sent = start; sent < start + ms; ) {
      const results = kind === 'each' ? [queue.one()] : await queue.many(count)
      await Promise.all(results.map((result) => result.then(() => latencies.push(performance.now() - sent))))
      sent = performance.now()
    }
  }
  await Promise.all(Array.from({ length: kind === 'each' ? count : 1 }, loop))
  return { latencies, tookMs: performance.now() - start }
}
