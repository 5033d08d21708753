import type { Zxid } from '../../../src/base/zxid.ts'
import { DispatcherState } from '../../../src/tasks/dispatcher-state.ts'
import { Heap } from '../../../src/tasks/heap.ts'
import type { TaskFacts } from '../../../src/tasks/task-facts.ts'

/** `uniform`: all tasks and workers alike; `skewed`: one task in ten is thirty times as long; `heterogeneous`: workers of speeds 1 to 4. */
export type Load = 'uniform' | 'skewed' | 'heterogeneous'

const TASKS = 2000
const WORKERS = 8
const SLOTS = 2

function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

const lengths = (load: Load): readonly number[] => {
  const draw = chanceOf(7)
  return Array.from({ length: TASKS }, () => (load === 'skewed' && draw() < 0.1 ? 3000 : 100))
}
const speedOf = (load: Load, worker: number): number => (load === 'heterogeneous' ? 1 + (worker % 4) : 1)

/** Each worker has its tasks from the start, and works them off with its slots. */
function assignedAtOnce(load: Load, choose: (task: number) => number): number {
  const slots = Array.from({ length: WORKERS }, () => new Array<number>(SLOTS).fill(0))
  let end = 0
  for (const [task, length] of lengths(load).entries()) {
    const worker = choose(task)
    const own = slots[worker] as number[]
    const first = own.indexOf(Math.min(...own))
    own[first] = (own[first] as number) + length / speedOf(load, worker)
    end = Math.max(end, own[first] as number)
  }
  return end
}

/** The product's dispatcher, with workers that take exactly as long as they say. */
function dispatched(load: Load): number {
  const state = new DispatcherState(TASKS)
  const length = lengths(load)
  const facts = (i: number): TaskFacts => ({
    ...{ id: `t${i}`, state: 'wait', name: 'a', requires: {}, priority: 0, group: '', affinity: '', after: [] },
    ...{ onDepFail: 'fail', dedup: '', attempt: 0, due: 0, expiresAt: 0, timeout: 0, version: 0 },
    ...{ czxid: (i + 1) as Zxid, mzxid: (i + 1) as Zxid, mtime: 0 },
  })
  for (let i = 0; i < WORKERS; i++) state.worker(String(i), { slots: SLOTS, labels: {}, names: ['a'] }, 0)
  for (let i = 0; i < TASKS; i++) state.record(facts(i))
  const ends = new Heap<{ readonly at: number; readonly task: number }>((a, b) => a.at < b.at)
  let now = 0
  let zxid = TASKS
  const holder = new Map<number, string>()
  for (let left = TASKS; left > 0; left--) {
    let { assigns } = state.orders(now)
    while (assigns.length > 0) {
      for (const { id, wid } of assigns) {
        const task = Number(id.slice(1))
        holder.set(task, wid)
        ends.push({ at: now + (length[task] as number) / speedOf(load, Number(wid)), task })
      }
      assigns = state.moreAssigns()
    }
    const next = ends.pop()
    if (next === undefined) throw new Error('nothing runs, and tasks are left')
    now = next.at
    state.tick(now)
    state.leaseGone({ wid: holder.get(next.task) ?? '', id: `t${next.task}`, attempt: 0 })
    state.record({ ...facts(next.task), state: 'done', version: 1, mzxid: ++zxid as Zxid, mtime: now })
  }
  return now
}

/** Milliseconds from the first task's start to the last one's end, by who assigns; `ideal`: no slot is ever idle. */
export function makespans(load: Load) {
  const draw = chanceOf(11)
  const work = lengths(load).reduce((sum, length) => sum + length, 0)
  const speed = Array.from({ length: WORKERS }, (_, i) => speedOf(load, i) * SLOTS).reduce((a, b) => a + b)
  return {
    ours: dispatched(load),
    random: assignedAtOnce(load, () => Math.floor(draw() * WORKERS)),
    turns: assignedAtOnce(load, (task) => task % WORKERS),
    ideal: work / speed,
  }
}
