import { AssertionError, assert } from '../base/assert.ts'
import { epochOf, follows, type Zxid } from '../base/zxid.ts'
import type { Entry } from './entry.ts'
import { type Config, decodeConfig } from './membership.ts'

interface ConfigAt {
  readonly entry: Entry
  readonly config: Config
}

/**
 * The log as far as memory holds it: entries behind `base`, contiguous, never ahead of writes that were issued. What stands
 * before `base` is only in the snapshot.
 */
export interface History {
  base: Zxid
  /** In order; `start` entries at the front are forgotten and wait to be cut off in bulk. */
  entries: Entry[]
  start: number
  /** Every config record in reach, ascending; the first may stand at or before `base`. */
  configs: ConfigAt[]
}

export function makeHistory(base: Zxid, baseConfig: Entry | null, entries: readonly Entry[]): History {
  const history: History = { base, entries: [], start: 0, configs: [] }
  if (baseConfig !== null) history.configs.push({ entry: baseConfig, config: decodeConfig(baseConfig.bytes) })
  append(history, entries)
  return history
}

export const lastZxid = (history: History): Zxid =>
  history.entries.length > history.start ? (history.entries[history.entries.length - 1] as Entry).zxid : history.base

export function append(history: History, entries: readonly Entry[]): void {
  let last = lastZxid(history)
  for (const entry of entries) {
    if (!follows(last, entry.zxid)) throw new AssertionError(`a hole in the log: ${last} then ${entry.zxid}`)
    history.entries.push(entry)
    if (entry.kind === 'config') history.configs.push({ entry, config: decodeConfig(entry.bytes) })
    last = entry.zxid
  }
}

/** Is this zxid the log's base or one of its entries? */
export const holdsZxid = (history: History, zxid: Zxid): boolean =>
  zxid === history.base || history.entries[indexAfter(history, zxid) - 1]?.zxid === zxid

/** Index of the first entry behind `zxid`. */
function indexAfter(history: History, zxid: Zxid): number {
  let low = history.start
  let high = history.entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((history.entries[middle] as Entry).zxid <= zxid) low = middle + 1
    else high = middle
  }
  return low
}

/** Entries behind `after`, up to and including `upTo`. `after` must not lie before the base. */
export function entriesBetween(history: History, after: Zxid, upTo: Zxid): Entry[] {
  assert(after >= history.base, 'asked for entries that memory no longer holds')
  return history.entries.slice(indexAfter(history, after), indexAfter(history, upTo))
}

export function truncate(history: History, zxid: Zxid): void {
  assert(holdsZxid(history, zxid), 'truncation to a zxid that is not in the log')
  history.entries.length = indexAfter(history, zxid)
  while (history.configs.length > 1 && (history.configs[history.configs.length - 1] as ConfigAt).entry.zxid > zxid)
    history.configs.pop()
  const only = history.configs[0]
  if (only !== undefined && only.entry.zxid > zxid) history.configs.pop()
}

/** Keeps at most `keep` entries behind the front, and everything behind `needed`. O(1) amortised. */
export function forget(history: History, needed: Zxid, keep: number): void {
  const free = indexAfter(history, needed)
  const cut = Math.max(history.start, Math.min(free, history.entries.length - keep))
  if (cut === history.start) return
  history.base = (history.entries[cut - 1] as Entry).zxid
  history.start = cut
  while (history.configs.length > 1 && (history.configs[1] as ConfigAt).entry.zxid <= history.base)
    history.configs.shift()
  if (history.start > 1024 && history.start * 2 > history.entries.length) {
    history.entries = history.entries.slice(history.start)
    history.start = 0
  }
}

/** The newest configuration in the log, committed or not. */
export const configOf = (history: History): Config | null => history.configs[history.configs.length - 1]?.config ?? null

export const configZxid = (history: History): Zxid =>
  history.configs[history.configs.length - 1]?.entry.zxid ?? (0 as Zxid)

/** The configuration record in force at `zxid`. */
export function configEntryAt(history: History, zxid: Zxid): Entry | null {
  let found: Entry | null = null
  for (const { entry } of history.configs) if (entry.zxid <= zxid) found = entry
  return found
}

const EPOCH_ENDS_MAX = 1024

/** Where each epoch in memory ends, ascending, the base among them: what two logs have in common can be told from these alone. */
export function epochEnds(history: History): Zxid[] {
  const ends: Zxid[] = []
  let zxid = lastZxid(history)
  while (ends.length < EPOCH_ENDS_MAX) {
    ends.push(zxid)
    if (zxid === history.base) break
    const first = indexAfter(history, (((epochOf(zxid) * 2 ** 32) as Zxid) - 1) as Zxid)
    const before = first > history.start ? (history.entries[first - 1] as Entry).zxid : history.base
    if (epochOf(before) === epochOf(zxid)) break
    zxid = before
  }
  return ends.reverse()
}

/**
 * The last zxid that two logs share, or null if it lies before what memory holds. Two logs that hold an entry of the same epoch agree up
 * to the shorter one's end of that epoch: one leader proposed it, in order, on one history (zookeeper.md 2.14).
 */
export function commonZxid(history: History, theirs: readonly Zxid[]): Zxid | null {
  const mine = new Map(epochEnds(history).map((end) => [epochOf(end), end]))
  for (let i = theirs.length - 1; i >= 0; i--) {
    const their = theirs[i] as Zxid
    const own = mine.get(epochOf(their))
    if (own === undefined) continue
    const common = Math.min(own, their) as Zxid
    return common >= history.base ? common : null
  }
  return null
}
