import type { LeaseFacts } from './lease-index.ts'
import { type Demand, suits } from './policy.ts'
import { limitsOf, type QueueConfig } from './queue-config.ts'
import type { TaskRecord } from './task-record.ts'
import type { TaskState } from './task-types.ts'
import type { WorkerRecord } from './worker-record.ts'

/** What was read of the queue to say why a task stands where it stands. */
export interface Circumstances {
  readonly config: QueueConfig
  readonly dispatched: boolean
  readonly workers: readonly WorkerRecord[]
  readonly lease: LeaseFacts | null
  /** Those of `after` that have not ended, and those that have not succeeded. */
  readonly pending: readonly string[]
  readonly failed: readonly string[]
  readonly due: number
  readonly now: number
}

export interface Standpoint {
  readonly state: TaskState
  readonly reason: string
}

const listed = (ids: readonly string[]): string =>
  ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ')

/** Where a task stands, and why: always with a reason while it has not ended. */
export function standpoint(record: TaskRecord, about: Circumstances): Standpoint {
  const { state, failure } = record
  if (state === 'done') return { state, reason: 'done' }
  if (state !== 'wait') return { state, reason: failure === null ? state : `${failure.name}: ${failure.message}` }
  if (about.lease !== null) return { state: 'running', reason: `attempt ${record.attempt} runs at ${about.lease.wid}` }
  if (about.pending.length > 0) return { state: 'blocked', reason: `waits for ${listed(about.pending)} to end` }
  if (about.failed.length > 0 && record.onDepFail === 'fail') {
    return { state: 'blocked', reason: `will fail, since ${listed(about.failed)} did not succeed` }
  }
  if (about.due > about.now) {
    const why = record.fails > 0 && failure !== null ? `, after ${failure.name}: ${failure.message}` : ''
    return { state: 'delayed', reason: `due at ${new Date(about.due).toISOString()}${why}` }
  }
  return { state: 'waiting', reason: waitingFor(record, about) }
}

function waitingFor(record: TaskRecord, { config, dispatched, workers }: Circumstances): string {
  if (!dispatched) return 'nobody dispatches this queue now'
  if (config.paused === true) return 'the queue is paused'
  const demand: Demand = record
  const named = workers.filter(({ names }) => names.includes(record.name))
  if (named.length === 0) return `no worker has a handler for ${record.name}`
  const loads = named.map((worker) => ({
    ...worker,
    ...{ wid: '', names: new Set(worker.names), used: 0, speed: 1, served: 0 },
  }))
  const suitable = loads.filter((worker) => suits(worker, demand))
  if (suitable.length === 0) return `no worker has the labels ${JSON.stringify(record.requires)}`
  if (suitable.every(({ slots }) => slots === 0)) return 'every suitable worker takes nothing now: hidden, or closing'
  const { concurrency, rate } = limitsOf(config, record.group)
  if (concurrency === 0) return `the group ${record.group} is held`
  const limits = [config.concurrency, config.rate, concurrency, rate].some((limit) => limit !== undefined)
  return limits ? 'waits for its turn: for a free slot, or a limit of the queue or its group' : 'waits for a free slot'
}
