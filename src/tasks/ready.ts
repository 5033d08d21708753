import { Heap } from './heap.ts'
import type { Labels } from './names.ts'
import { limitsOf, type QueueConfig } from './queue-config.ts'
import type { TaskFacts } from './task-facts.ts'
import { TokenBucket } from './token-bucket.ts'

/** A task in a heap, void once it has moved on. */
export interface Entry {
  readonly facts: TaskFacts
  readonly isLive: () => boolean
}

/** The waiting tasks of one group with one demand, in their order: priority, then arrival. */
class Lane {
  readonly group: Group
  readonly demand: DemandLine
  readonly tasks = new Heap<Entry>(({ facts: a }, { facts: b }) => orderOf(a, b) < 0)
  /** Grows with every place that it takes in its demand's line: older ones are void. */
  stamp = 0

  constructor(group: Group, demand: DemandLine) {
    this.group = group
    this.demand = demand
  }

  head(): TaskFacts | null {
    for (;;) {
      const top = this.tasks.peek()
      if (top === undefined) return null
      if (top.isLive()) return top.facts
      this.tasks.pop()
    }
  }
}

const orderOf = (a: TaskFacts, b: TaskFacts): number =>
  a.priority - b.priority || a.czxid - b.czxid || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

interface Place {
  readonly lane: Lane
  readonly stamp: number
  readonly pass: number
  readonly head: TaskFacts
}

/** Where all groups wait whose tasks ask the same of a worker: the same name and labels. */
export class DemandLine {
  readonly key: string
  readonly name: string
  readonly requires: Labels
  readonly lanes = new Map<string, Lane>()
  readonly places = new Heap<Place>((a, b) => a.pass < b.pass || (a.pass === b.pass && orderOf(a.head, b.head) < 0))

  constructor(key: string, name: string, requires: Labels) {
    this.key = key
    this.name = name
    this.requires = requires
  }

  top(): Place | null {
    for (;;) {
      const first = this.places.peek()
      if (first === undefined) return null
      const { lane, stamp, pass, head } = first
      const current = stamp === lane.stamp
      if (current && pass === lane.group.pass && lane.head() === head) return first
      this.places.pop()
      if (current) lane.group.place(lane)
    }
  }

  isBefore(other: DemandLine): boolean {
    const [own, others] = [this.top(), other.top()]
    if (own === null || others === null) return own !== null
    return own.pass < others.pass || (own.pass === others.pass && orderOf(own.head, others.head) < 0)
  }
}

/** Its turn comes when its pass is the lowest; every start moves it on by 1 / weight (stride scheduling). */
class Group {
  readonly name: string
  pass = 0
  weight = 1
  cap = Number.POSITIVE_INFINITY
  bucket: TokenBucket | null = null
  running = 0
  /** It has no places anywhere until a task of it ends, or its rate allows one. */
  held = false
  readonly lanes = new Set<Lane>()

  constructor(name: string) {
    this.name = name
  }

  place(lane: Lane): void {
    lane.stamp++
    const head = lane.head()
    if (head === null) {
      this.lanes.delete(lane)
      lane.demand.lanes.delete(this.name)
    } else if (!this.held) lane.demand.places.push({ lane, stamp: lane.stamp, pass: this.pass, head })
  }

  hold(): void {
    this.held = true
    for (const lane of this.lanes) lane.stamp++
  }

  release(): void {
    if (!this.held) return
    this.held = false
    for (const lane of [...this.lanes]) this.place(lane)
  }
}

/** What may start, and whose turn it is. O(log n) a change; nothing here looks at all tasks or all groups. */
export class Ready {
  readonly #groups = new Map<string, Group>()
  readonly #demands = new Map<string, DemandLine>()
  /** Groups that their rate holds. */
  readonly #slowed = new Heap<{ readonly group: Group; readonly until: number }>((a, b) => a.until < b.until)
  #config: QueueConfig = {}
  #bucket: TokenBucket | null = null
  #running = 0
  /** The pass of whoever was served last: a group that comes back has no claim on the past. */
  #pass = 0
  #now = 0

  configure(config: QueueConfig, now: number): void {
    const before = this.#config
    this.#config = config
    if (JSON.stringify(before.rate) !== JSON.stringify(config.rate)) {
      this.#bucket = config.rate === undefined ? null : new TokenBucket(config.rate, now)
    }
    for (const group of this.#groups.values()) {
      this.#limit(group, before)
      group.release()
    }
  }

  #limit(group: Group, before: QueueConfig | null): void {
    const limits = limitsOf(this.#config, group.name)
    group.weight = limits.weight ?? 1
    group.cap = limits.concurrency ?? Number.POSITIVE_INFINITY
    const known = before === null ? undefined : limitsOf(before, group.name).rate
    if (before === null || JSON.stringify(known) !== JSON.stringify(limits.rate)) {
      group.bucket = limits.rate === undefined ? null : new TokenBucket(limits.rate, this.#now)
    }
  }

  #group(name: string): Group {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new Group(name)
      this.#limit(group, null)
      this.#groups.set(name, group)
    }
    return group
  }

  push(entry: Entry): void {
    const { name, requires, group: of } = entry.facts
    const group = this.#group(of)
    if (group.lanes.size === 0) group.pass = Math.max(group.pass, this.#pass)
    const key = JSON.stringify([name, Object.entries(requires).sort(([a], [b]) => (a < b ? -1 : 1))])
    let demand = this.#demands.get(key)
    if (demand === undefined) {
      demand = new DemandLine(key, name, requires)
      this.#demands.set(key, demand)
    }
    let lane = demand.lanes.get(of)
    if (lane === undefined) {
      lane = new Lane(group, demand)
      demand.lanes.set(of, lane)
      group.lanes.add(lane)
    }
    const before = lane.head()
    lane.tasks.push(entry)
    if (before === null || orderOf(entry.facts, before) < 0) group.place(lane)
  }

  started(of: string): void {
    this.#group(of).running++
    this.#running++
  }

  stopped(of: string): void {
    const group = this.#group(of)
    group.running--
    this.#running--
    if (group.running < group.cap) group.release()
    if (group.running === 0 && group.lanes.size === 0 && group.bucket === null) this.#groups.delete(of)
  }

  /** Lets groups go on whose rate allows it. */
  promote(now: number): void {
    this.#now = Math.max(this.#now, now)
    for (
      let first = this.#slowed.peek();
      first !== undefined && first.until <= this.#now;
      first = this.#slowed.peek()
    ) {
      this.#slowed.pop()
      first.group.release()
    }
  }

  /** When a rate allows more, or null. */
  nextAt(): number | null {
    const slowed = this.#slowed.peek()?.until ?? Number.POSITIVE_INFINITY
    const queue = this.#bucket?.readyAt(this.#now) ?? 0
    const next = Math.min(slowed, queue > this.#now ? queue : Number.POSITIVE_INFINITY)
    return next === Number.POSITIVE_INFINITY ? null : next
  }

  /** May anything start at all? */
  get isOpen(): boolean {
    if (this.#config.paused === true || this.#running >= (this.#config.concurrency ?? Number.POSITIVE_INFINITY)) {
      return false
    }
    return this.#bucket === null || this.#bucket.readyAt(this.#now) <= this.#now
  }

  /** Those with a task that may start; the others are forgotten. */
  *demands(): Generator<DemandLine, void, undefined> {
    for (const demand of this.#demands.values()) {
      if (demand.top() !== null) yield demand
      else if (demand.lanes.size === 0) this.#demands.delete(demand.key)
    }
  }

  /** The next one of this demand whose group may start one, or null. It is not taken yet. */
  next(demand: DemandLine): TaskFacts | null {
    for (let place = demand.top(); place !== null; place = demand.top()) {
      const { group } = place.lane
      if (group.running >= group.cap) group.hold()
      else {
        const at = group.bucket?.readyAt(this.#now) ?? this.#now
        if (at <= this.#now) return place.head
        group.hold()
        this.#slowed.push({ group, until: at })
      }
    }
    return null
  }

  /** The caller counts it as started. */
  take(demand: DemandLine): void {
    const lane = demand.top()?.lane
    if (lane === undefined) return
    const { group } = lane
    this.#pass = group.pass
    group.pass += 1 / group.weight
    group.bucket?.take()
    this.#bucket?.take()
    lane.tasks.pop()
    group.place(lane)
  }
}
