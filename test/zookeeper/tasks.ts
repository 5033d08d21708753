import { deepEqual, equal, ok } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { TaskError } from '../../src/tasks/task-error.ts'
import { TaskQueue } from '../../src/tasks/task-queue.ts'
import type { Report } from '../report.ts'
import { connected, overTcp, overWebSocket } from './clients.ts'
import { folder, freePort, startApache, startGateway, startProxy } from './servers.ts'
import { type Jobs, outcomeOf, QUEUE, taskWorld, WON } from './task-load.ts'

const TASKS = 400
const WORKERS = 5
const KILLS = 3
const PATIENCE_MS = 90_000
const PROGRAM = fileURLToPath(new URL('task-process.ts', import.meta.url))

/** The task queue where no replica of ours dispatches: the processes that use it elect one of them, and each may be killed. */
export async function tasks(report: Report): Promise<void> {
  const gateway = await startGateway(folder(), await freePort())
  const apache = await startApache()
  const proxy = await startProxy(apache.port)
  const what = `${TASKS} tasks, some failing, while ${KILLS} workers of ${WORKERS} are killed, on`
  try {
    await report.check(`${what} a gateway`, () => load('tcp', gateway.port))
    await report.check(`${what} ZooKeeper through the proxy`, () => load('ws', proxy.port))
  } finally {
    await proxy.stop()
    await Promise.all([gateway.kill(), apache.kill()])
  }
}

async function load(kind: 'tcp' | 'ws', port: number): Promise<void> {
  const client = await connected(kind === 'tcp' ? overTcp(port) : overWebSocket(port))
  const started: ChildProcess[] = []
  try {
    await client.create(WON)
    const queue = new TaskQueue<Jobs>(taskWorld(client), QUEUE)
    for (let i = 0; i < WORKERS; i++) started.push(await startWorker(kind, port, `worker ${i}`))
    await queue.configure({ keep: 10 * TASKS })
    const options = { retry: { max: 1, backoff: { delay: 100, max: 100 } }, maxCrashes: 100 }
    const items = Array.from({ length: TASKS }, (_, n) => ({ name: 'job' as const, input: n, options }))
    const handles = await queue.addAll(items)
    const ended = Promise.all(
      handles.map((handle) =>
        handle.result({ timeout: PATIENCE_MS }).catch((error: unknown) => {
          if (error instanceof TaskError) return error.code
          throw error
        }),
      ),
    )
    // The first of them dispatches.
    for (const child of started.slice(0, KILLS)) {
      const before = (await wonBy(client)).length
      while ((await wonBy(client)).length < before + 20) await pause(20)
      child.kill('SIGKILL')
    }
    ok((await wonBy(client)).length < TASKS * 0.8, 'almost all was done before the last was killed')
    const expected = items.map(({ input }) => (outcomeOf(input) === 'fails' ? 'TaskFailed' : input * 2))
    deepEqual(await ended, expected)
    await client.sync(WON)
    const won = (await wonBy(client)).map((name) => Number(name.slice(0, name.indexOf('-'))))
    equal(won.length, expected.filter((one) => one !== 'TaskFailed').length, 'each is completed once')
    equal(new Set(won).size, won.length, 'each is completed once')
    await client.close()
  } finally {
    for (const child of started) child.kill('SIGKILL')
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const wonBy = async (client: { getChildren(path: string): Promise<{ readonly children: readonly string[] }> }) =>
  (await client.getChildren(WON)).children

async function startWorker(kind: string, port: number, name: string): Promise<ChildProcess> {
  const args = ['--import', 'tsx', PROGRAM, kind, String(port), name]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout)) if (line === 'works') return child
  throw new Error(`${name} ended before it worked`)
}
