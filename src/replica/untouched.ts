import type { ReplicaId } from '../base/ids.ts'
import { decodeTxn, type TxnBody } from '../jute/txns.ts'
import type { Recovered } from '../storage/txn-log.ts'
import { votersOfEntry } from './founding.ts'

/** What pages write into a log by being there. */
const COMING_AND_GOING: ReadonlySet<TxnBody['kind']> = new Set([
  'createSession',
  'moveSession',
  'closeSession',
  'error',
  'again',
])

/**
 * Is this log the whole of an ensemble in which nobody has written anything? Then it is no loss if it gives way to another one of the
 * same name. Only its founder's log can say so, while it votes alone: nobody can know more than it does.
 */
export function isUntouched({
  replica,
  snapshot,
  entries,
}: Pick<Recovered, 'replica' | 'snapshot' | 'entries'>): boolean {
  if (snapshot.length > 0 || entries.length === 0) return false
  return entries.every((entry) => {
    if (entry.kind === 'txn') return COMING_AND_GOING.has(decodeTxn(entry.bytes).body.kind)
    return entry.kind !== 'config' || isAlone(votersOfEntry(entry), replica)
  })
}

const isAlone = (voters: readonly ReplicaId[], self: ReplicaId): boolean => voters.length === 1 && voters[0] === self
