import { Dispatcher, type DispatcherOptions } from '../../../src/tasks/dispatcher.ts'
import { TaskQueue } from '../../../src/tasks/task-queue.ts'
import type { TaskType } from '../../../src/tasks/task-types.ts'
import { type Tab, Tabs } from '../recipes/tabs.ts'

export interface Jobs {
  readonly double: TaskType<number, number>
  readonly bytes: TaskType<Uint8Array, Uint8Array>
  readonly slow: TaskType<string, string>
}

export interface Office {
  readonly tab: Tab
  readonly queue: TaskQueue<Jobs>
}

/** Pages with a queue each, and dispatchers, around one server. */
export class Offices extends Tabs {
  /** What dispatchers complained of. */
  readonly problems: unknown[] = []

  async dispatch(
    options: DispatcherOptions = {},
    sessionTimeout = 10_000,
  ): Promise<{ readonly tab: Tab; readonly dispatcher: Dispatcher }> {
    const tab = await this.open(sessionTimeout)
    const dispatcher = new Dispatcher(tab, { onProblem: (problem) => this.problems.push(problem), ...options })
    await this.until(dispatcher.start())
    return { tab, dispatcher }
  }

  async office(sessionTimeout = 10_000): Promise<Office> {
    const tab = await this.open(sessionTimeout)
    return { tab, queue: new TaskQueue<Jobs>(tab, 'q') }
  }

  /** The code that the promise rejects with. */
  codeOf(promise: Promise<unknown>): Promise<unknown> {
    return this.until(
      promise.then(
        () => 'resolved',
        (error: unknown) => (error as { code: string }).code,
      ),
    )
  }

  /** What the promise rejects with. */
  errorOf(promise: Promise<unknown>): Promise<unknown> {
    return this.until(
      promise.then(
        () => 'resolved',
        (error: unknown) => error,
      ),
    )
  }
}
