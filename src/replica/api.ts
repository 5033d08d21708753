import type { KeeperError } from '../base/errors.ts'
import type { LinkId, ReplicaId, SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { ConnectionInfo, ServerStatus } from '../server/orders.ts'
import type { PeerLink } from '../transport/peer-link.ts'
import type { Role } from '../zab/facts.ts'
import type { SnapshotProgress } from './snapshot-progress.ts'

/** Clock, chance and turns, given to the replica by its composition root; the simulator gives virtual ones. */
export interface Platform {
  /** Monotonic milliseconds. */
  now(): number
  /** Wall clock, milliseconds since 1970; goes into Stat times only. */
  wall(): number
  /** `length` random bytes. */
  entropy(length: number): Uint8Array
  /** Calls back every `ms` until the returned function is called. The only timer of a replica. */
  every(ms: number, tick: () => void): () => void
  /** Runs `turn` after what is already waiting to be heard (a task, not a microtask): what gathers meanwhile is one batch. */
  soon(turn: () => void): void
}

/** A client's connection as the replica sees it: whole frames, in order (the same shape as client/frame-pipe). */
export interface ClientPipe {
  send(frame: Uint8Array<ArrayBuffer>): void
  close(): void
  onframe: ((frame: Uint8Array) => void) | null
  onclose: ((reason: string) => void) | null
}

export interface ReplicaState {
  readonly role: Role | 'stopped'
  readonly leader: ReplicaId | null
  /** Whom it follows: the leader, or, an observer, a follower of the leader. */
  readonly parent: ReplicaId | null
  /** The leader, if it wants this observer near and there is no link to it yet. */
  readonly wantedBy: ReplicaId | null
  /** Does this replica take client requests now? */
  readonly serving: boolean
  readonly epoch: { readonly accepted: number; readonly current: number }
  readonly zxid: { readonly last: Zxid; readonly durable: Zxid; readonly committed: Zxid; readonly applied: Zxid }
  readonly voters: readonly ReplicaId[]
  readonly joint: boolean
  /** Its store went backwards: it follows, and counts for nothing until a leader lets it in again. */
  readonly demoted: boolean
  /** The log's format: raised when all voters and all connected members know a later one. */
  readonly format: number
  readonly links: readonly {
    readonly peer: ReplicaId
    readonly link: LinkId
    readonly bufferedBytes: number
    readonly sent: number
    readonly received: number
  }[]
  readonly server: ServerStatus
  readonly marks: Readonly<Record<string, number>>
  readonly storage: { readonly entries: number; readonly bytes: number | null; readonly state: 'open' | 'failed' }
}

/** What a replica tells its host. Called between turns, never re-entrantly. */
export interface ReplicaListener {
  /** Role, leader, parent, epoch, voters or serving changed. */
  changed(
    state: Pick<ReplicaState, 'role' | 'leader' | 'parent' | 'wantedBy' | 'serving' | 'epoch' | 'voters' | 'joint'>,
  ): void
  /** This replica leads an established epoch: start the dispatcher. / It does not any more: stop it. */
  leading(): void
  notLeading(): void
  /** A refusal, a bad peer, trouble: shown as an event of the keeper. */
  notice(
    code: 'NoQuorum' | 'WentBackwards' | 'Diverged' | 'BadPeer' | 'StorageFailed' | 'UpdateNeeded' | 'Removed',
    message: string,
    peer?: ReplicaId,
  ): void
  /** A snapshot is on its way to this replica: at most every 100 ms, and when all of it is here. */
  progress?(snapshot: SnapshotProgress): void
  /** Once: the replica has ended, by `close()` (null) or by itself (why). Nothing is written or sent afterwards. */
  ended(why: KeeperError | null): void
}

/** The host of one peer of Zab, its log, its links and its clients: inbox → step → carry out the orders. */
export interface ReplicaHost {
  start(): void
  /** A link whose handshake is done; the replica owns it from here. A newer one to the same peer replaces the older. */
  linkOpened(link: PeerLink): void
  /** This peer is surely gone (its lock was granted to somebody, or it said goodbye). */
  peerGone(peer: ReplicaId, reason: string): void
  /** A client's connection. The replica owns it; while it does not serve, it closes connections at once and the client comes again. */
  /** False: it serves nobody now, and has closed the pipe. */
  clientConnected(pipe: ClientPipe, info: ConnectionInfo): boolean
  /** A plain read without a session, of what this replica has applied, serving or not: see ReplicaServer. */
  answerOffline(packet: Uint8Array): Uint8Array | null
  /** This session's page is surely gone: have it closed. */
  endSession(session: SessionId): void
  /** If leading: hand over to a level voter. */
  stepDown(reason: string): void
  /** Its page was hidden, or shown again. */
  pageHidden(hidden: boolean): void
  reconfig(voters: readonly ReplicaId[]): Promise<void>
  inspect(): Promise<ReplicaState>
  /** Hands over if leading (bounded), then ends. */
  close(): Promise<void>
}
