import { Dependencies, type Readiness } from './dependencies.ts'
import { Heap } from './heap.ts'
import { Ready } from './ready.ts'
import type { TaskFacts } from './task-facts.ts'

/** Where a task stands. `unknown`: its record must be read again first. */
export type Standing = 'waiting' | 'delayed' | 'blocked' | 'running' | 'unknown' | 'done' | 'failed' | 'cancelled'

interface Task {
  facts: TaskFacts
  standing: Standing
  /** Grows with every move, so that older entries in the heaps are known to be void. */
  stamp: number
}

interface Entry {
  readonly task: Task
  readonly facts: TaskFacts
  readonly stamp: number
  readonly isLive: () => boolean
}

/** A task that ends without a run: what it waited for failed. */
export interface BrokenTask {
  readonly id: string
  readonly dependency: string
  readonly how: string
}

/** All tasks of a queue by where they stand. Moves are O(log n). */
export class TaskIndex {
  readonly ready = new Ready()
  readonly #tasks = new Map<string, Task>()
  readonly #dependencies = new Dependencies()
  readonly #delayed = new Heap<Entry>((a, b) => a.facts.due < b.facts.due)
  /** By the order of their end. */
  readonly #ended = new Heap<Entry>((a, b) => a.facts.mzxid < b.facts.mzxid)
  readonly #count: Record<Standing, number> = {
    waiting: 0,
    delayed: 0,
    blocked: 0,
    running: 0,
    unknown: 0,
    done: 0,
    failed: 0,
    cancelled: 0,
  }
  /** To be read, and to be failed; taken by `take…`. */
  #reads = new Set<string>()
  #broken = new Map<string, BrokenTask>()
  #now = 0

  get(id: string): TaskFacts | null {
    return this.#tasks.get(id)?.facts ?? null
  }

  put(facts: TaskFacts, held: boolean): void {
    const known = this.#tasks.get(facts.id)
    if (known !== undefined && known.facts.czxid === facts.czxid && known.facts.mzxid > facts.mzxid) return
    const task = known ?? { facts, standing: 'unknown', stamp: 0 }
    if (known === undefined) {
      this.#tasks.set(facts.id, task)
      this.#count.unknown++
    }
    this.#stand(task, 'unknown')
    task.facts = facts
    this.#dependencies.put(facts)
    this.#move(task, held)
    if (facts.state !== 'wait') this.#wake(facts.id)
  }

  remove(id: string): void {
    const task = this.#tasks.get(id)
    if (task !== undefined) {
      this.#stand(task, 'unknown')
      this.#count.unknown--
      this.#tasks.delete(id)
      this.#dependencies.remove(id)
    }
    this.#dependencies.missing(id)
    this.#wake(id)
  }

  /** Those that waited for it look again. */
  #wake(id: string): void {
    for (const waiter of [...this.#dependencies.waitersOf(id)]) {
      const task = this.#tasks.get(waiter)
      if (task?.standing === 'blocked') this.#move(task, false)
    }
  }

  /** The task got a lease, or turned out not to have one. */
  hold(id: string, held: boolean): void {
    const task = this.#tasks.get(id)
    if (task !== undefined) this.#move(task, held)
  }

  /** Neither waiting nor running until its record is put again. */
  unknown(id: string): void {
    const task = this.#tasks.get(id)
    if (task !== undefined && task.facts.state === 'wait') this.#stand(task, 'unknown')
  }

  hasEnded(id: string): boolean {
    const task = this.#tasks.get(id)
    return task !== undefined && task.facts.state !== 'wait'
  }

  #stand(task: Task, standing: Standing): void {
    if (task.standing === 'running') this.ready.stopped(task.facts.group)
    this.#count[task.standing]--
    this.#count[standing]++
    task.standing = standing
    task.stamp++
    if (standing === 'running') this.ready.started(task.facts.group)
  }

  #move(task: Task, held: boolean): void {
    const { facts } = task
    if (facts.state !== 'wait') {
      this.#stand(task, facts.state)
      this.#ended.push(entryOf(task))
      return
    }
    if (held) return this.#stand(task, 'running')
    const readiness = this.#readiness(facts)
    if (readiness.kind !== 'ready') {
      this.#stand(task, 'blocked')
      if (readiness.kind === 'failed') this.#broken.set(facts.id, { id: facts.id, ...readiness })
      else for (const id of readiness.unknown) this.#reads.add(id)
    } else if (facts.due > this.#now) {
      this.#stand(task, 'delayed')
      this.#delayed.push(entryOf(task))
    } else {
      this.#stand(task, 'waiting')
      this.ready.push(entryOf(task))
    }
  }

  #readiness(facts: TaskFacts): Readiness {
    return this.#dependencies.readiness(facts, (id) => this.#tasks.get(id)?.facts.state ?? null)
  }

  /** Moves the delayed tasks that are due to the waiting ones. */
  promote(now: number): void {
    this.#now = Math.max(this.#now, now)
    this.ready.promote(this.#now)
    for (;;) {
      const first = this.#delayed.peek()
      if (first === undefined || (first.isLive() && first.facts.due > this.#now)) return
      this.#delayed.pop()
      if (first.isLive()) this.#move(first.task, false)
    }
  }

  nextDue(): number | null {
    return this.#delayed.peek()?.facts.due ?? null
  }

  takeReads(): readonly string[] {
    const reads = [...this.#reads].filter((id) => !this.#tasks.has(id))
    this.#reads = new Set()
    return reads
  }

  /** Tasks to fail because of a dependency, each once. */
  takeBroken(): readonly BrokenTask[] {
    const broken = [...this.#broken.values()].filter(({ id }) => this.#tasks.get(id)?.standing === 'blocked')
    this.#broken = new Map()
    return broken
  }

  /** The ended tasks beyond the `keep` latest, of those that ended before `before`; and all that ended before `old`. At most `max`; they are forgotten here. */
  takeEnded(keep: number, before: number, old: number, max: number): readonly TaskFacts[] {
    const taken: TaskFacts[] = []
    const needed: Entry[] = []
    while (taken.length < max && needed.length < max) {
      const first = this.#ended.peek()
      if (first === undefined) break
      if (first.isLive()) {
        const { mtime } = first.facts
        const tooMany = this.#count.done + this.#count.failed + this.#count.cancelled - needed.length > keep
        if (mtime > before || !(tooMany || mtime < old)) break
      }
      this.#ended.pop()
      if (!first.isLive()) continue
      if (this.#dependencies.isWaitedFor(first.facts.id)) needed.push(first)
      else {
        taken.push(first.facts)
        this.remove(first.facts.id)
      }
    }
    for (const entry of needed) this.#ended.push(entry)
    return taken
  }

  counts(): Record<Exclude<Standing, 'unknown'>, number> {
    const { unknown, ...known } = this.#count
    return { ...known, waiting: known.waiting + unknown }
  }
}

function entryOf(task: Task): Entry {
  const { stamp, facts } = task
  return { task, facts, stamp, isLive: () => stamp === task.stamp }
}
