/**
 * The log's format: what a replica must know to read the log and to apply it. Tabs stay open for weeks, so builds of several ages are in one
 * ensemble. A later format begins at a record of the log, once all voters and all connected members have said that they know it; a replica
 * that comes upon a format that it does not know stops (`UpdateNeeded`), and neither skips nor guesses.
 */
import { KeeperError } from '../base/errors.ts'
import type { Entry } from './entry.ts'
import type { Change } from './facts.ts'
import { decodeConfig, decodeFormat, FIRST_FORMAT, formatOf } from './membership.ts'
import type { PeerStart } from './options.ts'

/** The highest format that these changes ask of whoever reads them. */
export function formatAsked(changes: readonly Change[]): number {
  let asked = FIRST_FORMAT
  for (const change of changes) {
    if (change.kind === 'append') for (const entry of change.entries) asked = Math.max(asked, formatFrom(entry))
    else if (change.kind === 'install') asked = Math.max(asked, formatFrom(change.config))
  }
  return asked
}

/** Throws `UpdateNeeded`: this recovered log asks for more than is `known`. */
export function demandReadable(log: Pick<PeerStart, 'baseConfig' | 'entries'>, known: number): void {
  const asked = log.entries.reduce((most, entry) => Math.max(most, formatFrom(entry)), formatFrom(log.baseConfig))
  if (asked > known) throw new KeeperError('UpdateNeeded', tooNew(asked, known))
}

function formatFrom(entry: Entry | null): number {
  if (entry?.kind === 'format') return decodeFormat(entry.bytes)
  return entry?.kind === 'config' ? formatOf(decodeConfig(entry.bytes)) : FIRST_FORMAT
}

export const tooNew = (asked: number, known: number): string =>
  `the log speaks format ${asked}, this page knows ${known}: reload it`
