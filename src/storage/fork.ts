import { KeeperError } from '../base/errors.ts'
import type { EnsembleId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import { checksum } from './checksum.ts'
import { type Candidate, type Local, recent, type Unread } from './choose.ts'
import type { Identity } from './names.ts'
import { type Database, EMPTY_STATE } from './schema.ts'
import type { Ancestry, Recovered } from './txn-log.ts'

/** What an ensemble begins with that is forked from another one. */
export interface Beginning {
  /** Above every epoch that the parent's log knows. */
  readonly epoch: number
  /** Of that epoch: the snapshot's. */
  readonly base: Zxid
  /** At or below `base`: who votes. */
  readonly config: Entry
  readonly snapshot: Iterable<Uint8Array>
}

/** Given all that a replica of the parent holds. */
export type Begin = (parent: Recovered, child: Identity) => Beginning

/**
 * The log that a fork begins from: the most recent one of `ensemble` in this browser. Throws `NoNode` if there is none, or nothing in it, and
 * what may know more forbids it: `StillRunning` while another worker of this browser holds one, `UpdateNeeded` where one is of a later build.
 */
export function chooseParent(
  ensemble: EnsembleId,
  local: readonly Local[],
  free: readonly Candidate[],
  unread: readonly Unread[],
): Candidate {
  if (local.some(({ identity, lock }) => identity.ensemble === ensemble && lock === null))
    throw new KeeperError('StillRunning', 'other pages of this browser run replicas of this ensemble: close them first')
  for (const { ensemble: of, error } of unread)
    if (of === ensemble && error instanceof KeeperError && error.code === 'UpdateNeeded') throw error
  const [best] = free
    .filter(({ local: one, config }) => one.identity.ensemble === ensemble && config !== null)
    .sort(recent)
  if (best === undefined)
    throw new KeeperError(
      'NoNode',
      `this browser holds nothing of the ensemble ${ensemble}: there is nothing to recover`,
    )
  return best
}

/** Writes a fork's first log into an empty database. The identity comes last: a database without one is nobody's. */
export async function writeFork(
  db: Database,
  { ensemble, replica }: Identity,
  { epoch, base, config, snapshot }: Beginning,
  forkedFrom: Ancestry,
): Promise<void> {
  const serial = 0
  let chunks = 0
  for (const bytes of snapshot) {
    const tx = db.transaction('snapshot', 'readwrite', { durability: 'relaxed' })
    await Promise.all([tx.store.put({ bytes, sum: checksum(bytes) }, [base, serial, chunks++]), tx.done])
  }
  const tx = db.transaction(['identity', 'state'], 'readwrite', { durability: 'strict' })
  const state = {
    ...EMPTY_STATE,
    acceptedEpoch: epoch,
    currentEpoch: epoch,
    committed: base,
    base,
    baseConfig: config,
    snapshotSerial: serial,
    snapshotChunks: chunks,
    logFrom: base,
  }
  const identity = { ensemble, replica, incarnation: 1, created: Date.now(), forkedFrom }
  await Promise.all([
    tx.objectStore('state').put(state, 'state'),
    tx.objectStore('identity').put(identity, 'identity'),
    tx.done,
  ])
}
