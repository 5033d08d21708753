import { readFileSync } from 'node:fs'

/** What a process has used since it began, and what it holds now: as Linux tells in /proc. */
export interface Cost {
  readonly pid: number
  /** User and system time, milliseconds. */
  readonly cpu: number
  /** Its proportional share of memory, bytes: what several share is counted once among them. */
  readonly memory: number
}

/** Linux: a clock tick of /proc is 10 ms on every platform that Node runs on. */
const TICK_MS = 10

export function costOf(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name is in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
  if (pss === undefined) throw new Error(`process ${pid} does not say what memory it holds`)
  return { pid, cpu: (Number(fields[11]) + Number(fields[12])) * TICK_MS, memory: Number(pss) * 1024 }
}
