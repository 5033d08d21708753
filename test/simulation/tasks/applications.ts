import type { Journal } from '../history/journal.ts'
import type { Node } from '../node.ts'
import type { Violation } from '../violation.ts'
import type { World } from '../world.ts'
import { LockGuests } from './lock-guests.ts'
import { TaskGuests } from './task-guests.ts'

/** What pages do with an ensemble: a task queue, and beside it the recipes. */
export class Applications {
  readonly #tasks: TaskGuests
  readonly #locks: LockGuests

  constructor(...ground: readonly [World, () => readonly Node[], () => number, Journal, readonly number[]]) {
    this.#tasks = new TaskGuests(...ground)
    this.#locks = new LockGuests(...ground)
  }

  get violation(): Violation | null {
    return this.#tasks.violation ?? this.#locks.violation
  }

  get done(): Readonly<Record<string, number>> {
    return { ...this.#tasks.done, ...this.#locks.done }
  }

  get late(): string {
    return `${this.#tasks.late} ${this.#locks.late}`
  }

  start(pages: number): void {
    this.#tasks.start(pages)
    this.#locks.start(Math.min(pages, 3))
  }

  calm(): void {
    this.#locks.calm()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#locks.stop()])
  }

  async check(): Promise<void> {
    await this.#tasks.check()
    await this.#locks.check()
  }
}
