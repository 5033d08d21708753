import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Job, Queue, QueueEvents, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { freePorts, HOST } from './free-ports.ts'
import type { NoopQueue } from './task-load.ts'

export interface BullMq {
  readonly queue: NoopQueue
  readonly version: string
  stop(): Promise<void>
}

/**
 * BullMQ on a Redis of its own with an append-only file, forced to disk once a second: what its documentation advises. Adder and
 * workers share one process. Null, after a sentence that says why, where Redis is missing.
 */
export async function startBullMq(workers: number, slots: number): Promise<BullMq | null> {
  const version = redisVersion()
  if (version === null) {
    console.log(
      'redis-server is not installed here (Debian: apt-get install redis-server), so nothing is compared with BullMQ.',
    )
    return null
  }
  const home = mkdtempSync(join(tmpdir(), 'tabkeeper-redis-'))
  const [port = 0] = await freePorts(1)
  const server = startRedis(home, port)
  const closing: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closing.reverse()) await close()
    await end(server)
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await ready(port)
    const connection = { host: HOST, port, maxRetriesPerRequest: null }
    const queue = new Queue('bench', { connection, defaultJobOptions: { removeOnComplete: 1000 } })
    const events = new QueueEvents('bench', { connection })
    // Each job that is waited for listens.
    queue.setMaxListeners(0)
    events.setMaxListeners(0)
    closing.push(
      () => queue.close(),
      () => events.close(),
    )
    for (let i = 0; i < workers; i++) {
      const worker = new Worker('bench', async (job: Job<number>) => job.data, { connection, concurrency: slots })
      closing.push(() => worker.close())
      await worker.waitUntilReady()
    }
    await events.waitUntilReady()
    const ended = (job: Job): Promise<void> => job.waitUntilFinished(events, 60_000).then(() => undefined)
    return {
      version: `BullMQ on Redis ${version}, appendfsync everysec`,
      queue: {
        one: async () => ended(await queue.add('noop', 1)),
        many: async (count) => {
          const jobs = await queue.addBulk(Array.from({ length: count }, () => ({ name: 'noop', data: 1 })))
          return jobs.map(ended)
        },
        transactions: async () => null,
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function startRedis(home: string, port: number): ChildProcess {
  const settings = { bind: HOST, port, dir: home, save: '', appendonly: 'yes', appendfsync: 'everysec' }
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)])
  return spawn('redis-server', args, { cwd: home, stdio: 'ignore' })
}

async function ready(port: number): Promise<void> {
  const probe = new Redis({ host: HOST, port, retryStrategy: (times) => (times < 100 ? 100 : null) })
  probe.on('error', () => undefined)
  try {
    await probe.ping()
  } finally {
    probe.disconnect()
  }
}

function redisVersion(): string | null {
  try {
    return /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
  } catch {
    return null
  }
}

function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    server.once('exit', () => resolve())
    server.kill('SIGTERM')
  })
}
