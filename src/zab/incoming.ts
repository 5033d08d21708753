import { epochOf, follows, type Zxid } from '../base/zxid.ts'
import { DecodeError } from '../jute/reader.ts'
import type { Entry } from './entry.ts'
import { decodeConfig, decodeFormat } from './membership.ts'

/** May a learner append these entries behind `last`, as its leader of `epoch` says? Null, or what is wrong with them. */
export function whyNotAppend(last: Zxid, entries: readonly Entry[], epoch: number): string | null {
  if (entries.length === 0) return 'no entries'
  let previous = last
  for (const entry of entries) {
    if (!follows(previous, entry.zxid)) return 'a gap'
    if (!readable(entry)) return `a ${entry.kind} record that cannot be read`
    previous = entry.zxid
  }
  return epochOf(previous) > epoch ? 'an entry of a later epoch' : null
}

/** The records that zab reads itself; what a txn says is for others to judge. */
export function readable(entry: Entry): boolean {
  try {
    if (entry.kind === 'config') decodeConfig(entry.bytes)
    else if (entry.kind === 'format') decodeFormat(entry.bytes)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}
