import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release } from 'node:os'
import type { Sample, Workload } from './workload.ts'

/** The rounds of one workload on one ensemble. */
export interface Result {
  readonly ensemble: string
  readonly workload: Workload
  readonly rounds: readonly Sample[]
}

/** `q` from 0 to 1; of sorted numbers, by nearest rank. NaN of none. */
export function percentile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

/** The round whose throughput is in the middle. */
export function middle(rounds: readonly Sample[]): Sample {
  const sorted = [...rounds].sort((a, b) => a.opsPerSecond - b.opsPerSecond)
  const found = sorted[Math.floor((sorted.length - 1) / 2)]
  if (!found) throw new Error('There is no round to report.')
  return found
}

export const name = ({ op, inFlight, size }: Workload): string => `${op}, ${inFlight} in flight, ${size} B`

const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const ms = (value: number): string => value.toFixed(2)

export function tableOf(results: readonly Result[]): string {
  const head = ['ensemble', 'workload', 'ops/s', 'least', 'most', 'p50 ms', 'p95 ms', 'p99 ms', 'rounds']
  const rows = results.map(({ ensemble, workload, rounds }) => {
    const { opsPerSecond, latencies } = middle(rounds)
    const all = rounds.map((round) => round.opsPerSecond)
    return [
      ensemble,
      name(workload),
      count(opsPerSecond),
      count(Math.min(...all)),
      count(Math.max(...all)),
      ms(percentile(latencies, 0.5)),
      ms(percentile(latencies, 0.95)),
      ms(percentile(latencies, 0.99)),
      String(rounds.length),
    ]
  })
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  return [head, ...rows].map((row) => line(row).trimEnd()).join('\n')
}

/** How many times the peer's throughput ours is, a line for each workload that both ran. */
export function ratiosOf(ours: readonly Result[], peers: readonly Result[]): string[] {
  return ours.flatMap((our) => {
    const peer = peers.find((one) => name(one.workload) === name(our.workload))
    if (!peer) return []
    const [mine, theirs] = [middle(our.rounds).opsPerSecond, middle(peer.rounds).opsPerSecond]
    return [
      `ratio  ${name(our.workload)}: ${(mine / theirs).toFixed(2)} times ${peer.ensemble} (${count(mine)} / ${count(theirs)} ops/s)`,
    ]
  })
}

/** Numbers mean something only with the machine beside them: `load` is that before the first round. */
export function machine(load: readonly number[], versions: readonly string[]): string {
  const [cpu] = cpus()
  const memory = /MemTotal:\s+(\d+)/.exec(readIfThere('/proc/meminfo'))?.[1]
  return [
    `machine  ${cpus().length} cores ${cpu?.model.trim() ?? ''}, ${memory ? `${Math.round(Number(memory) / 1048576)} GiB, ` : ''}${platform()} ${release()} ${arch()}`,
    `load     ${text(load)} before the first round, ${text(loadavg())} after the last (1, 5, 15 min)`,
    `versions ${[`Node ${process.versions.node}`, ...versions].join(', ')}`,
  ].join('\n')
}

const text = (load: readonly number[]): string => load.map((one) => one.toFixed(2)).join(' ')

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
