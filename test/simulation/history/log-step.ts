import { formatZxid } from '../../../src/base/zxid.ts'
import { show } from './reference-answers.ts'
import { demand } from './step.ts'
import type { History, LogEntry } from './types.ts'

/** Step 0: the log is one ascending sequence, replicas delivered pieces of it, and no request is in it twice. */
export function checkLog({ log, feeds = [] }: History): void {
  const asked = new Set<string>()
  let last: LogEntry | undefined
  const places = new Map<number, number>()
  for (const [at, entry] of log.entries()) {
    const before = last
    demand(before === undefined || entry.zxid > before.zxid, () => {
      return `${formatZxid(entry.zxid)} stands behind ${before === undefined ? '' : formatZxid(before.zxid)}`
    })
    places.set(entry.zxid, at)
    last = entry
    if (entry.cxid === 0) continue
    const request = `${entry.session}/${entry.origin}/${entry.cxid}`
    demand(!asked.has(request), () => `request ${entry.cxid} of session ${entry.session} is in the log twice`)
    asked.add(request)
    if (entry.numbered !== true || entry.body.kind === 'again') continue
    const number = `${entry.session}#${entry.cxid}`
    demand(!asked.has(number), () => `request ${entry.cxid} of session ${entry.session} is done twice`)
    asked.add(number)
  }
  for (const { replica, entries } of feeds) {
    const first = places.get(entries[0]?.zxid ?? 0) ?? 0
    for (const [at, entry] of entries.entries()) {
      const own = log[first + at]
      demand(
        own !== undefined && show(content(own)) === show(content(entry)),
        () => `replica ${replica} delivered at ${formatZxid(entry.zxid)} what the others did not`,
      )
    }
  }
}

/** When it was delivered is each replica's own. */
const content = ({ at: _, ms: __, ...rest }: LogEntry): unknown => rest
