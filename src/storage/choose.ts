import type { EnsembleId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Entry } from '../zab/entry.ts'
import type { ClaimOptions } from './claim.ts'
import type { HeldLock } from './locks.ts'
import type { Identity } from './names.ts'
import { readLog } from './recover.ts'
import type { Database } from './schema.ts'
import type { DemandReadable, Recovered } from './txn-log.ts'

/** An identity of this browser. `lock` null: another worker has it. */
export interface Local {
  readonly identity: Identity
  readonly lock: HeldLock | null
}

/** One that may be taken up. Everything but the identity is a look ahead: the claim reads again. */
export interface Candidate {
  readonly local: Local
  readonly currentEpoch: number
  readonly last: Zxid
  readonly incarnation: number
  /** What it knows to be committed: perhaps less than is. */
  readonly committed: Zxid
  /** The newest configuration record in its log. */
  readonly config: Entry | null
  readonly voter: boolean
  /** Says what its ensemble was forked from: this browser knows that from nowhere else. */
  readonly forked: boolean
  release(): void
}

/** A log that cannot be read, and why. */
export interface Unread {
  readonly ensemble: EnsembleId
  readonly error: unknown
}

export interface Survey {
  readonly candidates: readonly Candidate[]
  /** Databases without an identity: their makers crashed. */
  readonly unfinished: readonly Pick<Candidate, 'local' | 'release'>[]
  /** They are left alone. */
  readonly failures: readonly Unread[]
}

/**
 * Looks into the free logs, whose locks are held. Best first: voters of the newest configuration known among the logs of
 * their ensemble, then the most recent log. One of a later schema or a later format, or broken, is left alone and its lock let go.
 */
export async function surveyFree(
  local: readonly Local[],
  { votersOf, demandReadable }: Pick<ClaimOptions, 'votersOf' | 'demandReadable'>,
  open: (identity: Identity) => Promise<Database>,
): Promise<Survey> {
  const seen: Candidate[] = []
  const unfinished: Pick<Candidate, 'local' | 'release'>[] = []
  const failures: Unread[] = []
  for (const one of local) {
    if (one.lock === null) continue
    const lock = one.lock
    try {
      const recovered = await lookInto(await open(one.identity), demandReadable)
      const held = { local: one, release: () => lock.release() }
      if (recovered === null) unfinished.push(held)
      else seen.push({ ...look(recovered), ...held })
    } catch (error) {
      failures.push({ ensemble: one.identity.ensemble, error })
      lock.release()
    }
  }
  const newest = new Map<EnsembleId, Entry>()
  for (const { local: one, config } of seen) {
    const known = newest.get(one.identity.ensemble)
    if (config !== null && (known === undefined || config.zxid > known.zxid)) newest.set(one.identity.ensemble, config)
  }
  const voting = (candidate: Candidate): boolean => {
    const config = newest.get(candidate.local.identity.ensemble)
    return config !== undefined && votersOf(config).includes(candidate.local.identity.replica)
  }
  const candidates = seen.map((candidate) => ({ ...candidate, voter: voting(candidate) })).sort(best)
  return { candidates, unfinished, failures }
}

/** Reads a log and closes its database. null: it has no identity. Rejects where it cannot be read, with `UpdateNeeded` where this build does not know how. */
export async function lookInto(db: Database, demandReadable: DemandReadable): Promise<Recovered | null> {
  try {
    return (await readLog(db, demandReadable))?.recovered ?? null
  } finally {
    db.close()
  }
}

function look(recovered: Recovered): Omit<Candidate, 'local' | 'release'> {
  return {
    currentEpoch: recovered.currentEpoch,
    last: recovered.entries.at(-1)?.zxid ?? recovered.base,
    incarnation: recovered.incarnation,
    committed: recovered.committed,
    config: recovered.entries.findLast((entry) => entry.kind === 'config') ?? recovered.baseConfig,
    voter: false,
    forked: recovered.forkedFrom !== undefined,
  }
}

const best = (a: Candidate, b: Candidate): number =>
  Number(b.voter) - Number(a.voter) ||
  b.currentEpoch - a.currentEpoch ||
  b.last - a.last ||
  a.local.identity.replica - b.local.identity.replica

export const recent = (a: Candidate, b: Candidate): number => b.currentEpoch - a.currentEpoch || b.last - a.last

/**
 * Which of several ensembles of one name: one that runs in this browser, then the one with the most recent log. What
 * nobody has and nobody can read does not count; nor do those that were `forked` here, in favour of their forks. null: none.
 */
export function chooseEnsemble(
  local: readonly Local[],
  free: readonly Candidate[],
  forked: ReadonlySet<EnsembleId> = new Set(),
): EnsembleId | null {
  const fits = ({ ensemble }: Identity): boolean => !forked.has(ensemble)
  const running = local.flatMap(({ lock, identity }) => (lock === null && fits(identity) ? [identity.ensemble] : []))
  const logs = free.filter((one) => fits(one.local.identity)).sort(recent)
  const first = logs.find(({ local: one }) => running.includes(one.identity.ensemble)) ?? logs[0]
  if (running.length > 0 && (first === undefined || !running.includes(first.local.identity.ensemble))) {
    return running.sort()[0] ?? null
  }
  return first?.local.identity.ensemble ?? null
}
