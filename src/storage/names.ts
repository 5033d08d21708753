import { type EnsembleId, isEnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'

/** One replica's identity, as the name of its database tells it. */
export interface Identity {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
}

/** All databases of the ensembles of this name in this browser. */
const databasePrefix = (name: string): string => `tabkeeper/${encodeURIComponent(name)}/`

export const databaseName = (name: string, { ensemble, replica }: Identity): string =>
  `${databasePrefix(name)}${ensemble}/${replica}`

/** null: not a replica's database of this name. */
export function identityOf(name: string, database: string): Identity | null {
  const prefix = databasePrefix(name)
  if (!database.startsWith(prefix)) return null
  const [ensemble, digits, ...rest] = database.slice(prefix.length).split('/')
  const replica = Number(digits)
  if (rest.length > 0 || !isEnsembleId(ensemble) || !isReplicaId(replica) || String(replica) !== digits) return null
  return { ensemble, replica }
}

/** Held by a replica's worker for its whole life; never stolen. Watched by the others of this browser: see `tryIdentity`. */
export const replicaLock = ({ ensemble, replica }: Identity): string => `tabkeeper:${ensemble}:${replica}`

/** Held with it, and requested before the database is opened: whoever has this one has the identity. Nobody waits for it. */
export const claimLock = (identity: Identity): string => `${replicaLock(identity)}:claim`

/** Held while a page of this browser takes up or makes an identity: one at a time. */
export const foundingLock = (name: string): string => `tabkeeper:${name}:found`

/** Where the browser's own random id is kept: one failure domain for all its replicas. */
export const BROWSER_DATABASE = 'tabkeeper-browser'
