import type { ReplicaId } from '../base/ids.ts'
import type { ClientState, ZnodeClient } from '../client/api.ts'
import type { Signaling } from '../signaling/signaling.ts'

/** Plain data about this page's replica, for people and tools. Zxids as `epoch:counter` in hexadecimal. */
export interface Inspection {
  readonly ensemble: string
  readonly ensembleId: string
  /** Of a keeper that is only a client: whose. Such a page runs no replica: ids are empty, sizes 0 where a client cannot know. */
  readonly server?: string
  readonly replica: ReplicaId
  /** Of the page that made this ensemble out of another one, by `recover`: which one that was, and its last zxid. */
  readonly forkedFrom: { readonly ensemble: string; readonly zxid: string } | null
  readonly incarnation: number
  readonly browser: string
  readonly role: 'starting' | 'looking' | 'following' | 'leading' | 'observing' | 'stopped'
  readonly leader: ReplicaId | null
  /** Whom this replica follows: the leader, or, an observer, a follower of the leader. */
  readonly parent: ReplicaId | null
  readonly epoch: { readonly accepted: number; readonly current: number }
  readonly zxid: {
    readonly last: string
    readonly durable: string
    readonly committed: string
    readonly applied: string
  }
  /** The newest configuration in the log; `joint` while two count. */
  readonly voters: readonly ReplicaId[]
  readonly joint: boolean
  readonly links: readonly {
    readonly peer: ReplicaId
    readonly state: 'connecting' | 'open'
    readonly transferred: boolean
    readonly bufferedBytes: number
    readonly sent: number
    readonly received: number
  }[]
  readonly sessions: readonly {
    readonly id: string
    readonly timeout: number
    readonly ephemerals: number
    readonly here: boolean
  }[]
  readonly tree: {
    readonly znodes: number
    readonly dataBytes: number
    readonly watches: number
    readonly digest: string
  }
  readonly storage: { readonly entries: number; readonly bytes: number | null; readonly state: 'open' | 'failed' }
  /** Rare branches and refusals, counted. */
  readonly marks: Readonly<Record<string, number>>
}

/** Told by event; the payload is in `detail`. */
export interface KeeperEvents {
  /** The session's state. */
  state: { readonly state: ClientState; readonly reason: string; readonly deadline: number | null }
  /** Something about the ensemble changed: read `inspect()` if you care. */
  ensemble: {
    readonly role: Inspection['role']
    readonly leader: ReplicaId | null
    readonly voters: readonly ReplicaId[]
    readonly epoch: number
  }
  /** Why something waits or was refused: no quorum, a peer of another version, a link closed for garbage, storage trouble. */
  notice: {
    readonly code:
      | 'NoQuorum'
      | 'Incompatible'
      | 'EnsembleMismatch'
      | 'WrongSecret'
      | 'FounderNeeded'
      | 'BadPeer'
      | 'WentBackwards'
      | 'Diverged'
      | 'StorageFailed'
      | 'WorkerFailed'
      | 'UpdateNeeded'
      | 'Removed'
      | 'LinkFailed'
      | 'NoPath'
    readonly message: string
    readonly peer?: ReplicaId
  }
  /** A snapshot of the tree is on its way to this page's replica: when it joins, or was away for long. At most every 100 ms, and at its end. */
  progress: {
    readonly what: 'snapshot'
    /** So far; nobody knows how many there will be. */
    readonly bytes: number
    /** All are here: it serves soon. */
    readonly complete: boolean
  }
}

export type IceServers = readonly RTCIceServer[] | (() => readonly RTCIceServer[] | Promise<readonly RTCIceServer[]>)

export interface KeeperOpenOptions {
  /** The ensemble's name: 1 to 128 characters. Pages of one origin that give the same name share one tree. */
  readonly ensemble: string
  /**
   * `ws:` or `wss:` address of a `tabkeeper proxy`: the ZooKeeper servers behind it are the ensemble, and this page is their client. No
   * replica is started; options about replicas and their links are ignored, and `ensemble` is only a name.
   */
  readonly server?: string
  /**
   * `client`: this page runs no replica; its session is with a member that serves it over a data channel, and moves to another one when
   * that is gone. Options about founding, voting and the worker are ignored. Default `member`.
   */
  readonly role?: 'member' | 'client'
  /** Milliseconds; default 10 000, 2 000 to 86 400 000. */
  readonly sessionTimeout?: number
  /** 1, 3 (default) or 5. */
  readonly voters?: 1 | 3 | 5
  /**
   * While this page's replica leads and the page has been hidden for so long, it gives the lead to a voter whose page is visible, or that
   * runs on a server, if one is level: browsers throttle, freeze and discard hidden pages. Milliseconds; default 10 000, 0 to 86 400 000.
   */
  readonly handoverAfterHidden?: number
  readonly create?: 'auto' | 'always' | 'never'
  /** Ends the wait for a session. */
  readonly signal?: AbortSignal
  /**
   * Told of every notice from the first moment on; while `open` waits there is no keeper to listen to. Without it, what is said
   * before `open` has settled goes to the console as a warning.
   */
  readonly onNotice?: (notice: KeeperEvents['notice']) => void
  /** Told of every `progress` event from the first moment on: a newcomer takes up the tree before `open` settles. */
  readonly onProgress?: (progress: KeeperEvents['progress']) => void
  /**
   * How pages of other browsers are found, besides those of this one: `ws:` or `wss:` addresses of signaling servers (`tabkeeper
   * signal`, or any that speaks the y-webrtc protocol), all used at once, or a Signaling of the application's own. Default: none.
   */
  readonly signaling?: readonly string[] | Signaling
  /**
   * Whoever knows it is a member. A password, or 16 to 64 bytes drawn by chance. Needed with `signaling`; null says that everybody
   * may be a member who can reach the signaling. In one browser without signaling, the origin is enough.
   */
  readonly secret?: string | Uint8Array | null
  /**
   * STUN and TURN servers, for peers beyond this network; default none. A function, for credentials that expire, is asked before a
   * connection when its last answer is a minute old; the connection waits for it, 5 s at most.
   */
  readonly iceServers?: IceServers
  /**
   * `relay`: links only by the TURN servers among `iceServers`, which hides this page's addresses from other members; default `all`. Pages of
   * this browser included. As in RTCConfiguration.
   */
  readonly iceTransportPolicy?: 'all' | 'relay'
  /** Makes the replica's worker, for bundlers and policies that cannot follow the library's own `new Worker(new URL(…))`. */
  readonly worker?: () => Worker
}

/** What `Keeper.open` gives: the znode client and what is built on it. */
export interface KeeperBase extends ZnodeClient {
  readonly ensemble: string
  inspect(): Promise<Inspection>
  /** Asks the leader to step down in favour of a level voter. Resolves when another one leads, or rejects with `Timeout`. */
  stepDown(): Promise<void>
  /**
   * Makes these the voters (an odd number of members, 15 at most), wherever in the ensemble they are. Rejects with NewConfigNoQuorum
   * (also if one of them does not come to the leader within 10 s), ReconfigInProgress, BadArguments; ConnectionLoss where this replica does not lead.
   */
  reconfig(voters: readonly ReplicaId[]): Promise<void>
  /**
   * The last resort, where the voters that are missing will not come back: ends this keeper, and opens one of a **new ensemble** of the same
   * name that begins with all that this page's replica holds and in which it votes alone. Nothing merges the two again: whoever comes
   * back of the old one stays in that, and both sides are told `EnsembleMismatch`. All sessions are over. Looks for a quorum for 8 s first.
   * Rejects with `BadArguments` without `force`, `StillRunning` (there is a quorum, or other pages of this browser are in the ensemble: close
   * them first), `Unsupported` where there is no replica: then nothing has happened. `NoNode` (its log is empty), `UpdateNeeded` (this browser
   * has a log of a later build), `StorageFailed`: then this keeper has ended, and the old ensemble is as it was.
   */
  recover(options: { readonly force: true }): Promise<KeeperBase>
  /**
   * A word that makes whoever has it a member, by `Keeper.join`: it holds the secret. `role: 'client'`: one that makes a client, and holds
   * a key that is not enough for more. `page`: makes it a link to that address, with the
   * word behind the `#`. `Unsupported` of a keeper that is only a client.
   */
  invitation(options?: { readonly page?: string | URL; readonly role?: 'member' | 'client' }): Promise<string>
}
