/** A replica's identity: a random number below 2^53, stored beside its log; it lives and dies with that log. */
export type ReplicaId = number & { readonly __replica: never }
/** Drawn at founding: 32 lower-case hexadecimal digits. Replicas of different ensembles never exchange a Zab message. */
export type EnsembleId = string & { readonly __ensemble: never }
/** ZooKeeper's 64-bit session id. 0n is none. */
export type SessionId = bigint & { readonly __session: never }
/** One opened link between two replicas; a reopened one has another id, so that frames of the old one are known. */
export type LinkId = number & { readonly __link: never }

export const NO_SESSION: SessionId = 0n as SessionId

export const isReplicaId = (value: unknown): value is ReplicaId =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0

export const isEnsembleId = (value: unknown): value is EnsembleId =>
  typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
