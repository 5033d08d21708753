import type { ErrorCode } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Ancestry } from '../storage/txn-log.ts'
import type { LinkBinding } from '../transport/link-proof.ts'
import type { ReplicaListener, ReplicaState } from './api.ts'
import type { LinkEnds } from './link-desk.ts'
import type { SnapshotProgress } from './snapshot-progress.ts'

/** What a call gives, as data: an exception would lose its class and code on the way between the threads. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorData }

export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly path: string | undefined
}

export interface StartOptions {
  /** The ensemble's name. */
  readonly ensemble: string
  readonly voters: 1 | 3 | 5
  readonly create: 'auto' | 'always' | 'never'
  /** Join this one: others of the name are left alone, and nothing is founded. */
  readonly join?: EnsembleId
  /** Not `join` itself, but a new ensemble that begins with what this browser holds of it. */
  readonly fork?: boolean
  /** The page runs on a phone: it votes where nobody else can. */
  readonly phone?: boolean
  /** Milliseconds; default TIMES. */
  readonly handoverAfterHidden?: number
  /** Links are proved by it: 32 bytes. Default: there is no secret. */
  readonly linkKey?: Uint8Array
}

/** The identity that this worker claimed. */
export interface Started {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  readonly incarnation: number
  readonly browser: string
  /** Held for as long as the worker lives. */
  readonly lock: string
  /** Was the ensemble founded just now? */
  readonly founded: boolean
  /** There was nothing in the log: this replica has been in no ensemble yet. */
  readonly empty: boolean
  /** It is the only voter of its ensemble, and nobody has written anything there. */
  readonly untouched: boolean
  /** Of the replica that made this ensemble out of another one. */
  readonly forkedFrom: Ancestry | null
}

/** A page's worker, through Comlink: one flat object. After `hello` comes `start`; the others wait until it has answered. */
export interface ReplicaService {
  /** Answers at once: is anybody there? `build` is the page's; a worker of another build refuses with `UpdateNeeded`. */
  hello(build: string): Promise<Reply<null>>
  /** Claims an identity and runs its replica. `events`: a port for WorkerEvents. Called once. */
  start(options: StartOptions, events: MessagePort): Promise<Reply<Started>>
  /** Our ends of the two channels to `peer`: the channels themselves, or ports that the page relays. */
  addLink(peer: ReplicaId, attempt: number, ends: LinkEnds): Promise<Reply<null>>
  /** What this attempt's link runs over, where links are proved. */
  bindLink(peer: ReplicaId, attempt: number, binding: LinkBinding): Promise<Reply<null>>
  /** Over the links, to one replica or to everybody (null), and one hop further. */
  introduce(to: ReplicaId | null, text: string): Promise<Reply<null>>
  /**
   * A connection of the page's client, or (`peer`) of another page's, which keeps its session alive by its own pings. Frames as
   * ArrayBuffers; null says that a side has closed.
   */
  connectClient(port: MessagePort, from: 'page' | 'peer'): Promise<Reply<null>>
  /** Replies to plain reads of this page from what its replica has, without a session; null where one is needed. */
  answerOffline(packets: readonly Uint8Array[]): Promise<Reply<readonly (Uint8Array | null)[]>>
  inspect(): Promise<Reply<ReplicaState>>
  stepDown(reason: string): Promise<Reply<null>>
  reconfig(voters: readonly ReplicaId[]): Promise<Reply<null>>
  /** Is the page hidden now? Until it says so it is not. */
  pageHidden(hidden: boolean): Promise<Reply<null>>
  /** The peer said goodbye. */
  peerGone(peer: ReplicaId, reason: string): Promise<Reply<null>>
  /** A page of this browser opened a session (16 hexadecimal digits) and holds its lock; or it ended with its page. */
  sessionOpened(session: string): Promise<Reply<null>>
  sessionEnded(session: string): Promise<Reply<null>>
  /** Ends, and forgets identity and log: there was an ensemble of this name already. */
  discard(): Promise<Reply<null>>
  /** Hands over if leading, and ends. */
  close(): Promise<Reply<null>>
}

/** What happened in the worker, in order, over one port. */
export type WorkerEvent =
  /** The page's only clock: its own timers are throttled while it is hidden. Every 250 ms. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'changed'; readonly state: Parameters<ReplicaListener['changed']>[0] }
  | {
      readonly kind: 'notice'
      readonly code: Parameters<ReplicaListener['notice']>[0] | 'Incompatible' | 'EnsembleMismatch' | 'WrongSecret'
      readonly message: string
      readonly peer: ReplicaId | null
    }
  | { readonly kind: 'progress'; readonly snapshot: SnapshotProgress }
  | { readonly kind: 'linkOpened'; readonly peer: ReplicaId; readonly attempt: number }
  /** `refused`: by an answer that will not soon be another one. */
  | {
      readonly kind: 'linkClosed'
      readonly peer: ReplicaId
      readonly attempt: number
      readonly refused: boolean
      readonly reason: string
    }
  /** What members passed on to this page. */
  | { readonly kind: 'introduced'; readonly text: string }
  | { readonly kind: 'peerGone'; readonly peer: ReplicaId; readonly reason: string }
  /** The last event. */
  | { readonly kind: 'ended'; readonly error: ErrorData | null }
