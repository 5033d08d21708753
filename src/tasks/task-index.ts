import type { Zxid } from '../base/zxid.ts'
import type { QueueStats, TaskFacts } from './dispatcher-state.ts'
import { Heap } from './heap.ts'
import type { Labels } from './names.ts'

/** Where a task stands. `unknown`: its record must be read again first. */
type Standing = 'waiting' | 'delayed' | 'running' | 'unknown' | 'done' | 'failed' | 'cancelled'

interface Task {
  facts: TaskFacts
  standing: Standing
  /** Grows with every move, so that older entries in the heaps are known to be void. */
  stamp: number
}

interface Entry {
  readonly task: Task
  readonly stamp: number
  readonly priority: number
  readonly czxid: Zxid
  readonly due: number
}

const isLive = (entry: Entry): boolean => entry.stamp === entry.task.stamp
const comesFirst = (a: Entry, b: Entry): boolean =>
  a.priority !== b.priority
    ? a.priority < b.priority
    : a.czxid !== b.czxid
      ? a.czxid < b.czxid
      : a.task.facts.id < b.task.facts.id

/** The waiting tasks with one demand: the same name and required labels. */
export class TaskClass {
  readonly name: string
  readonly requires: Labels
  readonly #heap = new Heap<Entry>(comesFirst)

  constructor(name: string, requires: Labels) {
    this.name = name
    this.requires = requires
  }

  push(entry: Entry): void {
    this.#heap.push(entry)
  }

  #top(): Entry | null {
    for (;;) {
      const top = this.#heap.peek()
      if (top === undefined) return null
      if (isLive(top)) return top
      this.#heap.pop()
    }
  }

  head(): TaskFacts | null {
    return this.#top()?.task.facts ?? null
  }

  takeHead(): void {
    if (this.#top() !== null) this.#heap.pop()
  }

  get isEmpty(): boolean {
    return this.#top() === null
  }

  isBefore(other: TaskClass): boolean {
    const own = this.#top()
    const others = other.#top()
    return own !== null && (others === null || comesFirst(own, others))
  }
}

/** All tasks of a queue by where they stand. Moves are O(log n). */
export class TaskIndex {
  readonly #tasks = new Map<string, Task>()
  readonly #classes = new Map<string, TaskClass>()
  readonly #delayed = new Heap<Entry>((a, b) => a.due < b.due)
  /** By the order of their end. */
  readonly #ended = new Heap<Entry>((a, b) => a.task.facts.mzxid < b.task.facts.mzxid)
  readonly #count: Record<Standing, number> = {
    waiting: 0,
    delayed: 0,
    running: 0,
    unknown: 0,
    done: 0,
    failed: 0,
    cancelled: 0,
  }
  #now = 0

  put(facts: TaskFacts, held: boolean): void {
    const known = this.#tasks.get(facts.id)
    if (known !== undefined && known.facts.czxid === facts.czxid && known.facts.mzxid > facts.mzxid) return
    const task = known ?? { facts, standing: 'unknown', stamp: 0 }
    if (known === undefined) {
      this.#tasks.set(facts.id, task)
      this.#count.unknown++
    }
    task.facts = facts
    this.#move(task, held)
  }

  remove(id: string): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    this.#stand(task, 'unknown')
    this.#count.unknown--
    this.#tasks.delete(id)
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
    this.#count[task.standing]--
    this.#count[standing]++
    task.standing = standing
    task.stamp++
  }

  #move(task: Task, held: boolean): void {
    const { facts } = task
    if (facts.state !== 'wait') {
      this.#stand(task, facts.state)
      this.#ended.push(entryOf(task))
    } else if (held) this.#stand(task, 'running')
    else if (facts.due > this.#now) {
      this.#stand(task, 'delayed')
      this.#delayed.push(entryOf(task))
    } else {
      this.#stand(task, 'waiting')
      this.#classOf(facts).push(entryOf(task))
    }
  }

  #classOf({ name, requires }: TaskFacts): TaskClass {
    const key = JSON.stringify([name, Object.entries(requires).sort(([a], [b]) => (a < b ? -1 : 1))])
    let found = this.#classes.get(key)
    if (found === undefined) {
      found = new TaskClass(name, requires)
      this.#classes.set(key, found)
    }
    return found
  }

  /** Moves the delayed tasks that are due to the waiting ones. */
  promote(now: number): void {
    this.#now = Math.max(this.#now, now)
    for (;;) {
      const first = this.#delayed.peek()
      if (first === undefined || (isLive(first) && first.due > this.#now)) return
      this.#delayed.pop()
      if (isLive(first)) this.#move(first.task, false)
    }
  }

  nextDue(): number | null {
    return this.#delayed.peek()?.due ?? null
  }

  /** The classes that have waiting tasks; the others are forgotten. */
  *classes(): Generator<TaskClass, void, undefined> {
    for (const [key, group] of this.#classes) {
      if (group.isEmpty) this.#classes.delete(key)
      else yield group
    }
  }

  /** The ended tasks beyond the `keep` latest that ended before `before`, at most `max`; they are forgotten here. */
  takeEnded(keep: number, before: number, max: number): readonly string[] {
    const taken: string[] = []
    while (taken.length < max && this.#count.done + this.#count.failed + this.#count.cancelled > keep) {
      const first = this.#ended.peek()
      if (first === undefined || (isLive(first) && first.task.facts.mtime > before)) break
      this.#ended.pop()
      if (!isLive(first)) continue
      taken.push(first.task.facts.id)
      this.remove(first.task.facts.id)
    }
    return taken
  }

  counts(): Omit<QueueStats, 'workers'> {
    const { waiting, delayed, running, unknown, done, failed, cancelled } = this.#count
    return { waiting: waiting + unknown, delayed, running, done, failed, cancelled }
  }
}

const entryOf = (task: Task): Entry => ({
  task,
  stamp: task.stamp,
  priority: task.facts.priority,
  czxid: task.facts.czxid,
  due: task.facts.due,
})
