import type { Op } from '../client/api.ts'
import type { WaitOptions } from '../recipes/deadline.ts'
import type { FencingToken } from '../recipes/hold.ts'
import type { Labels } from './names.ts'
import type { RetryOptions } from './retry-policy.ts'

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
  /** For attempts that throw. Default: none. */
  readonly retry?: RetryOptions
  /** How many workers may be lost over it before it fails. Default 3. */
  readonly maxCrashes?: number
  /** Milliseconds per attempt; one that takes longer has failed. Default: none. */
  readonly timeout?: number
  /** Labels that its worker must have. */
  readonly requires?: Labels
}

export type TaskItem<M extends TaskMap<M>> = {
  readonly [K in keyof M & string]: {
    readonly name: K
    readonly input: M[K]['in']
    readonly options?: AddOptions
  }
}[keyof M & string]

export type TaskState = 'waiting' | 'delayed' | 'running' | 'done' | 'failed' | 'cancelled'

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
  /** Closes the worker at once: what runs is given back. */
  readonly signal?: AbortSignal
}
