import type { ZnodeClient } from '../src/client/api.ts'

/** One thing to measure, the same for every ensemble. Runs wherever a client does: in Node, in a page. */
export interface Workload {
  readonly op: 'setData' | 'getData'
  /** Requests kept in flight: as many loops, each waiting for its own reply. */
  readonly inFlight: number
  /** Bytes of data in the znode. */
  readonly size: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** What one run gave. Latencies are those of the client's calls, milliseconds, sorted. */
export interface Sample {
  readonly opsPerSecond: number
  readonly latencies: readonly number[]
}

const PATH = '/bench'

export async function prepare(client: ZnodeClient, size: number): Promise<void> {
  if (await client.exists(PATH)) await client.setData(PATH, new Uint8Array(size))
  else await client.create(PATH, new Uint8Array(size))
}

export async function measure(client: ZnodeClient, workload: Workload): Promise<Sample> {
  const data = new Uint8Array(workload.size)
  const call = workload.op === 'setData' ? () => client.setData(PATH, data) : () => client.getData(PATH)
  const latencies: number[] = []
  const start = performance.now() + workload.warmUpMs
  const end = start + workload.measureMs
  const loop = async () => {
    for (let sent = performance.now(); sent < end; ) {
      await call()
      const answered = performance.now()
      if (sent >= start && answered <= end) latencies.push(answered - sent)
      sent = answered
    }
  }
  await Promise.all(Array.from({ length: workload.inFlight }, loop))
  latencies.sort((a, b) => a - b)
  return { opsPerSecond: (latencies.length * 1000) / workload.measureMs, latencies }
}

/** Writes with 1, 64 and 512 in flight, and reads with 64. */
export const WORKLOADS: readonly Workload[] = (
  [
    ['setData', 1],
    ['setData', 64],
    ['setData', 512],
    ['getData', 64],
  ] as const
).map(([op, inFlight]) => ({ op, inFlight, size: 100, warmUpMs: 1_000, measureMs: 3_000 }))
