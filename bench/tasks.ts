import { loadavg } from 'node:os'
import { startBullMq } from './bullmq.ts'
import { machine, middle, percentile } from './report.ts'
import { type DepthSample, measureDepth } from './task-depth.ts'
import { loadName, measureTasks, TASK_LOADS, type TaskLoad, type TaskSample } from './task-load.ts'
import { openTaskTabs, type TaskTabs } from './task-tabs.ts'

const TABS = [1, 3, 5]
const ROUNDS = 3
/** Runs at a time in each tab; BullMQ's workers, as many as the most tabs, have as many each. */
const SLOTS = 32
const DEPTHS = [1_000, 10_000, 100_000]

const GUARANTEES = [
  'tabkeeper  An added task is on the disks of a majority of the voters (strict durability) before `add` resolves, and so is its end before its',
  '           result is told. It runs at least once and completes exactly once; no server, the tabs are everything.',
  'BullMQ     An added job is in the memory of one Redis; its append-only file is forced to disk once a second, so that a machine that fails may',
  '           take a second of added and completed jobs with it. At least once: a job that stalls runs again elsewhere, and the lock it lost',
  '           keeps the first run from completing it.',
]

interface Row {
  readonly name: string
  readonly load: TaskLoad
  readonly rounds: TaskSample[]
}

/** Rounds alternate between tabs and BullMQ, for each number of tabs. */
export async function benchTasks(): Promise<void> {
  const load = loadavg()
  const bull = await startBullMq(Math.max(...TABS), SLOTS)
  let tabs: TaskTabs | null = null
  try {
    tabs = await openTaskTabs(SLOTS)
    for (const count of TABS) {
      await tabs.grow(count)
      for (const one of TASK_LOADS) {
        const ours: Row = { name: `${count} ${count === 1 ? 'tab' : 'tabs'}`, load: one, rounds: [] }
        const theirs: Row = { name: 'BullMQ', load: one, rounds: [] }
        for (let round = 0; round < ROUNDS; round++) {
          ours.rounds.push(await tabs.run(one))
          if (bull) theirs.rounds.push(await measureTasks(bull.queue, one))
        }
        print(ours, bull ? theirs : null)
      }
    }
    console.log(machine(load, [tabs.version, ...(bull ? [bull.version] : [])]))
    for (const line of GUARANTEES.slice(0, bull ? GUARANTEES.length : 2)) console.log(line)
  } finally {
    await tabs?.stop()
    await bull?.stop()
  }
  await benchDepth()
}

const figure = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(7)

function print(ours: Row, theirs: Row | null): void {
  for (const { name, load, rounds } of theirs === null ? [ours] : [ours, theirs]) {
    const { opsPerSecond, latencies, transactionsPerTask } = middle(rounds) as TaskSample
    const times = [0.5, 0.95, 0.99].map((q) => `p${q * 100} ${percentile(latencies, q).toFixed(1)}`).join(', ')
    const each = transactionsPerTask === null ? '' : `, ${transactionsPerTask.toFixed(2)} transactions a task`
    console.log(`${name.padEnd(7)} ${loadName(load).padEnd(18)} ${figure(opsPerSecond)} tasks/s, ${times} ms${each}`)
  }
  if (theirs === null) return
  const ratio = middle(ours.rounds).opsPerSecond / middle(theirs.rounds).opsPerSecond
  console.log(`ratio   ${loadName(ours.load)}: ${ratio.toFixed(2)} times BullMQ`)
}

/** In one thread and in memory: what the length of the queue costs, and nothing else. */
async function benchDepth(): Promise<void> {
  const samples: DepthSample[] = []
  await measureDepth(DEPTHS[0] ?? 0)
  for (const depth of DEPTHS) {
    const sample = await measureDepth(depth)
    samples.push(sample)
    console.log(
      `depth ${figure(depth)} ${figure(sample.addsPerCpuSecond)} adds, ${figure(sample.runsPerCpuSecond)} runs a CPU second (one thread, in memory)`,
    )
  }
  const [first] = samples
  const last = samples.at(-1)
  if (first && last) {
    console.log(`deepest over shallowest: ${(last.runsPerCpuSecond / first.runsPerCpuSecond).toFixed(2)} of the runs`)
  }
}
