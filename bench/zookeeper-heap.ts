import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../src/client/client.ts'
import { startSingle } from './zookeeper.ts'

/** Live bytes of a JVM's heap, after a full collection. */
function liveHeap(pid: number): number {
  const rows = execFileSync('jcmd', [String(pid), 'GC.class_histogram'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
  const total = /^Total\s+\d+\s+(\d+)/m.exec(rows)?.[1]
  if (total === undefined) throw new Error('jcmd printed no total')
  return Number(total)
}

async function create(client: Client, paths: readonly string[], data: Uint8Array): Promise<void> {
  const batches: Promise<unknown>[] = []
  for (let at = 0; at < paths.length; at += 500) {
    batches.push(client.multi(paths.slice(at, at + 500).map((path) => ({ op: 'create', path, data }) as const)))
    if (batches.length === 8) await Promise.all(batches.splice(0))
  }
  await Promise.all(batches)
}

/** What `nodes` znodes cost one Apache ZooKeeper server. Null, after a sentence that says why, where it cannot be asked. */
export async function zooKeeperHeap(
  nodes: number,
  data: Uint8Array,
  pathOf: (i: number) => string,
): Promise<{ readonly version: string; readonly bytesPerZnode: number } | null> {
  try {
    execFileSync('jcmd', ['-h'], { stdio: 'ignore' })
  } catch {
    console.log('jcmd is not installed here (Debian: apt-get install default-jdk-headless): no heap to compare with.')
    return null
  }
  const directory = mkdtempSync(join(tmpdir(), 'tabkeeper-heap-'))
  const server = await startSingle(directory)
  if (server === null) return null
  try {
    const paths = Array.from({ length: nodes }, (_, i) => pathOf(i))
    const parents = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))]
    const before = liveHeap(server.pid)
    await create(server.client, parents, data)
    await create(server.client, paths, data)
    return { version: server.version, bytesPerZnode: (liveHeap(server.pid) - before) / nodes }
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
