import type { TaskFailure } from './task-record.ts'

/** The task has no result: it failed for good, or was cancelled. Switch on `code`. */
export abstract class TaskError extends Error {
  abstract readonly code: 'TaskFailed' | 'TaskCancelled'
  readonly taskId: string
  constructor(taskId: string, message: string) {
    super(message)
    this.taskId = taskId
  }
}

export class TaskFailedError extends TaskError {
  override readonly name = 'TaskFailedError'
  override readonly code = 'TaskFailed'
  /** What the last attempt threw. */
  readonly failure: TaskFailure
  constructor(taskId: string, failure: TaskFailure) {
    super(taskId, `task ${taskId} failed: ${failure.name}: ${failure.message}`)
    this.failure = failure
  }
}

export class TaskCancelledError extends TaskError {
  override readonly name = 'TaskCancelledError'
  override readonly code = 'TaskCancelled'
  readonly reason: string
  constructor(taskId: string, reason: string) {
    super(taskId, `task ${taskId} was cancelled${reason === '' ? '' : `: ${reason}`}`)
    this.reason = reason
  }
}

/** `add` was refused: more wait than the queue's `maxPending` allows. Nothing was added. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  readonly code = 'QueueFull'
  constructor(queue: string, pending: number, max: number) {
    super(`queue ${queue} is full: ${pending} tasks wait, ${max} may`)
  }
}

/** Thrown by a handler: the task fails at once, whatever its retry policy. */
export class NonRetryable extends Error {
  override readonly name = 'NonRetryable'
}

/** The reason of a run's aborted signal. Whatever the run still does, it cannot complete. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError'
  readonly code: RunEnd
  constructor(code: RunEnd, message: string) {
    super(message)
    this.code = code
  }
}

/** `LeaseLost`: the task is another's; `Cancelled`; `Timeout`: this attempt has failed; `Closing`: the worker closes and gives the task back. */
export type RunEnd = 'LeaseLost' | 'Cancelled' | 'Timeout' | 'Closing'

const MESSAGE_MAX = 2000

/** Whatever a handler threw, as it is stored. */
export function failureOf(thrown: unknown): TaskFailure {
  if (thrown instanceof Error) return { name: short(thrown.name, 200), message: short(thrown.message, MESSAGE_MAX) }
  return { name: 'Error', message: short(textOf(thrown), MESSAGE_MAX) }
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return 'something that has no text'
  }
}

const short = (text: unknown, max: number): string => String(text).slice(0, max).toWellFormed()
