import { Client } from '../src/client/client.ts'
import type { Clock } from '../src/client/clock.ts'
import { Dispatcher } from '../src/tasks/dispatcher.ts'
import { TaskQueue } from '../src/tasks/task-queue.ts'
import type { TaskType } from '../src/tasks/task-types.ts'
import type { TaskWorld } from '../src/tasks/task-world.ts'
import { Standalone } from '../test/standalone.ts'

interface Jobs {
  readonly noop: TaskType<number, number>
}

export interface DepthSample {
  /** Tasks that wait when the measuring ends. */
  readonly depth: number
  /** Each a CPU second of the whole process, which other work on the machine does not change. */
  readonly addsPerCpuSecond: number
  readonly runsPerCpuSecond: number
}

const CHUNK = 1_000
const WARM_UP = 200
const RUNS = 2_000
const SLOTS = 64
const TICK_MS = 20

const clock: Clock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}

/** One standalone server in memory, a dispatcher, one page that adds and one that works, all in this thread. */
export async function measureDepth(depth: number): Promise<DepthSample> {
  const server = new Standalone()
  let last = performance.now()
  const ticking = setInterval(() => {
    const now = performance.now()
    server.advance(Math.round(now - last))
    last = now
  }, TICK_MS)
  const clients: Client[] = []
  const open = async (): Promise<TaskWorld> => {
    const client = Client.connect(server.connect, { clock, random: Math.random, sessionTimeout: 60_000 })
    clients.push(client)
    await client.connected()
    return { client, clock, random: (into) => crypto.getRandomValues(into), wallTime: () => server.wall }
  }
  const dispatcher = new Dispatcher(await open(), {
    onProblem: (problem) => {
      throw problem
    },
  })
  try {
    const queue = new TaskQueue<Jobs>(await open(), 'bench')
    await fill(queue, depth)
    await dispatcher.start()
    while ((await queue.stats()).waiting < depth) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    const before = cpuSeconds()
    await fill(queue, RUNS + WARM_UP)
    const addsPerCpuSecond = (RUNS + WARM_UP) / (cpuSeconds() - before)
    const runsPerCpuSecond = await run(new TaskQueue<Jobs>(await open(), 'bench'))
    return { depth, addsPerCpuSecond, runsPerCpuSecond }
  } finally {
    await dispatcher.stop()
    await Promise.all(clients.map((client) => client.close()))
    clearInterval(ticking)
  }
}

async function fill(queue: TaskQueue<Jobs>, count: number): Promise<void> {
  for (let left = count; left > 0; left -= CHUNK) {
    const size = Math.min(left, CHUNK)
    await queue.addAll(Array.from({ length: size }, () => ({ name: 'noop', input: 1 }) as const))
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

async function run(queue: TaskQueue<Jobs>): Promise<number> {
  let runs = 0
  let start = Number.NaN
  return await new Promise<number>((resolve, reject) => {
    const noop = (n: number): number => {
      if (++runs === WARM_UP) start = cpuSeconds()
      if (runs === WARM_UP + RUNS) {
        resolve(RUNS / (cpuSeconds() - start))
        queue.close().catch(reject)
      }
      return n
    }
    queue.worker({ noop }, { slots: SLOTS }).catch(reject)
  })
}
