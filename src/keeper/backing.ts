import type { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { ZnodeClient } from '../client/api.ts'
import type { Clock } from '../client/clock.ts'
import type { Connector } from '../client/frame-pipe.ts'
import type { AskOffline } from '../client/offline-reads.ts'
import type { Inspection, KeeperBase } from './api.ts'
import type { Invitation } from './invitation.ts'

/** What stands behind a page's client: a replica of its own (`Tab`), another page's (`Guest`), or servers elsewhere (`Remote`). */
export interface Backing extends Pick<KeeperBase, 'stepDown'> {
  /** What this page calls itself in elections, unless it is told otherwise. */
  readonly id: string
  /** Does the other end of the pipe keep the session alive by itself? */
  readonly touchedByHost: boolean
  readonly connect: Connector
  /** Reads from a tree of its own, while there is no connection. */
  readonly askOffline?: AskOffline
  /** By which this page's session is kept, and all that it does there. */
  readonly clock: Clock
  /** What is said to a page that waits long for its first session. */
  readonly lateNotice: { readonly code: 'NoQuorum' | 'LinkFailed'; readonly message: string }
  /** Why it has ended, or null. */
  readonly failure: KeeperError | null
  join(): Promise<void>
  /** The session is there; 16 hexadecimal digits. */
  holdSession(id: string): Promise<void>
  inspect(client: ZnodeClient): Promise<Inspection>
  reconfig(voters: readonly ReplicaId[]): Promise<unknown>
  /** Rejects with `StillRunning` where there is a quorum, `Unsupported` where there is no replica. */
  giveUp(): Promise<EnsembleId>
  /** What somebody needs to become a member, or a client. Rejects with `Unsupported` where this page is none. */
  invitation(role: Invitation['role']): Promise<Invitation>
  /** Idempotent. */
  close(): Promise<void>
}
