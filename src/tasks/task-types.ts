import type { Op } from '../client/api.ts'
import type { WaitOptions } from '../recipes/deadline.ts'
import type { FencingToken } from '../recipes/hold.ts'
import type { Labels } from './names.ts'
import type { RetryOptions } from './retry-policy.ts'
import type { OnDepFail, TaskFailure } from './task-record.ts'

/** What a task takes and gives: JSON values, Uint8Arrays, or nothing. */
export interface TaskType<In = unknown, Out = unknown> {
  readonly in: In
  readonly out: Out
}

/** The tasks of a queue by name, shared by those who add and those who work. */
export type TaskMap<M> = { readonly [K in keyof M]: TaskType }

export interface AddOptions {
  /** To add twice by one id is to add once. 1 to 128 letters, digits or `._:@-`. Default: a random one. */
  readonly id?: string
  /** Lower first; any integer. Default 0. Equal ones run in the order they were added. */
  readonly priority?: number
  /** Milliseconds before the first attempt, by the dispatcher's clock. Default 0. */
  readonly delay?: number
  /** The first attempt not before this time (a Date, or milliseconds since 1970), by the dispatcher's clock. One that is past: at once. */
  readonly runAt?: Date | number
  /** For attempts that throw. Default: none. */
  readonly retry?: RetryOptions
  /** How many workers may be lost over it before it fails. Default 3. */
  readonly maxCrashes?: number
  /** Milliseconds per attempt; one that takes longer has failed. Default: none. */
  readonly timeout?: number
  /** Milliseconds from now by which it must have ended, or it fails (`Expired`), running or not. Default: none. */
  readonly expires?: number
  /** Labels that its worker must have. */
  readonly requires?: Labels
  /** Tasks of one affinity go to one worker while that has a free slot. 1 to 128 characters. */
  readonly affinity?: string
  /** Groups take turns, and have limits of their own: see `configure`. Written like an id. */
  readonly group?: string
  /** Tasks (at most 64) that must have ended before the first attempt. They must be there: NoNode. A cycle: BadArguments. */
  readonly after?: readonly (string | { readonly id: string })[]
  /** When one of `after` fails or is cancelled: `fail` too (the default), or `run` all the same. */
  readonly onDepFail?: OnDepFail
  /** Given an `id` that is there already: `join` it (the default), or `reject` with NodeExists. */
  readonly onDuplicate?: 'join' | 'reject'
  readonly dedup?: DedupOptions
}

/** Of the tasks with one key, only one at a time has not ended. */
export interface DedupOptions {
  /** Written like an id. */
  readonly key: string
  /**
   * While one of the key has not ended, a new one: is not added, and `add` gives the handle of the one that is there (`join`,
   * the default); is refused with NodeExists (`reject`); cancels it and takes its place (`replace`); cancels it while it
   * waits for its time, and waits `delay` itself (`debounce`: of a burst the last one runs, once it is quiet); waits until
   * it has ended, and cancels one that waits so already (`rerun`: of all that come while one runs the last one runs, after it).
   */
  readonly mode?: 'join' | 'reject' | 'replace' | 'debounce' | 'rerun'
  /** Milliseconds after one was added in which another is a duplicate even if the first has ended: at most one per so long. */
  readonly throttle?: number
}

export type TaskItem<M extends TaskMap<M>> = {
  readonly [K in keyof M & string]: {
    readonly name: K
    readonly input: M[K]['in']
    readonly options?: AddOptions
  }
}[keyof M & string]

export type TaskState = 'waiting' | 'delayed' | 'blocked' | 'running' | 'done' | 'failed' | 'cancelled'

/** All that there is to know of a task. */
export interface TaskReport {
  readonly id: string
  readonly name: string
  readonly state: TaskState
  /** Why it stands where it stands, in words: never empty while the task has not ended. */
  readonly reason: string
  readonly attempt: number
  readonly fails: number
  readonly crashes: number
  /** As the handler last reported it, or undefined. */
  readonly progress: unknown
  /** The latest lines, at most 50. */
  readonly log: readonly string[]
  /** What the last failed attempt threw, or null. */
  readonly failure: TaskFailure | null
}

/** One task, from wherever its id is known. */
export interface TaskHandle<Out> {
  readonly id: string
  /**
   * Waits for the end. Rejects with TaskFailedError, TaskCancelledError; Timeout or Aborted (the task goes on); NoNode: no
   * such task, or it ended long ago and was collected.
   */
  result(options?: WaitOptions): Promise<Out>
  /** NoNode as above. */
  state(): Promise<TaskState>
  /** The state with its reason, progress, log and failures. NoNode as above. */
  report(): Promise<TaskReport>
  /** The report now, then after every change, latest wins; ends after the one of its end. NoNode as above. */
  events(options?: { readonly signal?: AbortSignal }): AsyncGenerator<TaskReport, void, undefined>
  /** A failed task waits again, with all its attempts; false: it has not failed. */
  retry(): Promise<boolean>
  /** At once and for good: a run that is under way is told to stop, and cannot complete. */
  cancel(reason?: string): Promise<'cancelled' | 'already-finished'>
}

export interface TaskContext {
  readonly id: string
  /** 0 for the first; grows with every lease. */
  readonly attempt: number
  /** Aborts, with a RunEndedError as reason, once this run cannot complete any more. */
  readonly signal: AbortSignal
  /** For systems outside the ensemble: `zxid` grows with every attempt of this task. */
  readonly token: FencingToken
  /** Put into a `multi` in mid-run: refused (NoNode) once the lease is lost. */
  guard(): Op
  /** What an attempt before this one saved, or undefined. */
  readonly checkpoint: unknown
  /** Resolves when a quorum has it: the next attempt will find it in `checkpoint`. JSON of at most 16 KiB (TooLarge). Rejects with RunEndedError once the lease is lost. */
  saveCheckpoint(state: unknown): Promise<void>
  /** Told to who asks, at most once a second; JSON of at most 4 KiB (TooLarge). */
  progress(value: unknown): void
  /** The latest 50 lines are kept, of 300 characters each. */
  log(line: string): void
  /** These are committed together with the completion, hence exactly once; refused, they fail the attempt. */
  alsoCommit(ops: readonly Op[]): void
}

/** A run is at least once, its completion exactly once. What it throws is a failed attempt. */
export type Handler<In, Out> = (input: In, context: TaskContext) => Out | PromiseLike<Out>

export type Handlers<M extends TaskMap<M>> = { readonly [K in keyof M]?: Handler<M[K]['in'], M[K]['out']> }

export interface WorkerOptions {
  /** Tasks at a time, 1 to 1024. Default 1. */
  readonly slots?: number
  readonly labels?: Labels
  /**
   * While the page is hidden: go on (`keep`, the default), take no new tasks (`pause`), or give back what runs, too
   * (`return`). A page that is frozen or put away gives back all in any case.
   */
  readonly whenHidden?: 'keep' | 'pause' | 'return'
  /** Closes the worker at once: what runs is given back. */
  readonly signal?: AbortSignal
}
