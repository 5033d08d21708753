import { randomBytes } from 'node:crypto'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Member, MemberOptions } from '../member/member.ts'
import type { ReplicaListener, ReplicaState } from '../replica/api.ts'
import { founding } from '../replica/founding.ts'
import { Replica } from '../replica/replica.ts'
import { Server } from '../server/server.ts'
import type { Address } from './address.ts'
import { answerWord, type Word } from './four-letter-words.ts'
import { type NewIdentity, openLevelLog } from './level-txn-log.ts'
import { Meeting } from './meeting.ts'
import { nodePlatform } from './node-platform.ts'
import { TcpListener } from './tcp-listener.ts'

export interface GatewayOptions {
  /** Where ZooKeeper clients connect; port 0 takes any. */
  readonly listen: Address
  /** The directory of the log. An empty one founds an ensemble. */
  readonly data: string
  /** Who passes every ACL check: `user:base64(sha1(user:password))`. */
  readonly superDigest?: string
  /** Are /zookeeper/quota limits enforced, or only shown (as in ZooKeeper)? Default false. */
  readonly enforceQuota?: boolean
  /** To be a member of an ensemble of pages, over WebRTC; left out, it is an ensemble of one. Needs the package `@roamhq/wrtc`. */
  readonly ensemble?: EnsembleOptions
  /** Told of trouble; default: nobody. */
  readonly notice?: (message: string) => void
}

export interface EnsembleOptions {
  /** Its name, as pages give it to `Keeper.open`. */
  readonly name: string
  readonly secret: string
  /** Addresses of signaling servers, `ws:` or `wss:`. */
  readonly signal: readonly string[]
  /** With an empty directory: found a new one, or wait for members to join (default). */
  readonly create?: 'always' | 'never'
  /** STUN and TURN servers; default none. */
  readonly iceServers?: MemberOptions['iceServers']
  /** How many should vote, when this replica leads: 1, 3 (default) or 5. */
  readonly voters?: 1 | 3 | 5
  /** Ends the wait for members. */
  readonly abort?: AbortSignal
}

/**
 * A replica without a browser: its log is in LevelDB, and any ZooKeeper client is its client, over TCP. Alone it is an ensemble of
 * one; with `ensemble` it is one replica among those of pages, and stays when the last page is closed. TCP clients have sessions and
 * ACLs, no vote.
 */
export class Gateway {
  readonly #replica: Replica
  readonly #member: Member | null
  readonly #listener: TcpListener
  readonly #options: GatewayOptions
  #address: Address
  /** Why the replica has ended by itself; resolves with null after `close`. */
  readonly ended: Promise<KeeperError | null>

  /**
   * Resolves when it serves; a member of an ensemble, when it has its log: it may still wait for a quorum, and closes its clients' connections until then.
   * Rejects with StorageFailed, UpdateNeeded, WrongSecret, Unsupported (WebRTC is not installed), Aborted, or as a listening socket does.
   */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const notice = options.notice ?? (() => undefined)
    const meeting = options.ensemble === undefined ? null : await Meeting.open(options.ensemble, notice)
    try {
      return await Gateway.#start(options, meeting)
    } catch (error) {
      meeting?.end()
      throw error
    }
  }

  static async #start(options: GatewayOptions, meeting: Meeting | null): Promise<Gateway> {
    const founding = (): Promise<NewIdentity> => newIdentity(meeting)
    const { log, recovered } = await openLevelLog(options.data, { founding })
    // A failure domain of its own.
    const browser = `node-${recovered.replica}`
    let member: Member | null = null
    let served: (() => void) | undefined
    let failed: ((why: KeeperError) => void) | undefined
    let over: ((why: KeeperError | null) => void) | undefined
    const serving = new Promise<void>((resolve, reject) => {
      served = resolve
      failed = reject
    })
    const ended = new Promise<KeeperError | null>((resolve) => {
      over = resolve
    })
    const listener: ReplicaListener = {
      changed: (state) => {
        member?.changed(state)
        if (state.serving) served?.()
      },
      leading: () => undefined,
      notLeading: () => undefined,
      notice: (code, message) => options.notice?.(`${code}: ${message}`),
      ended: (why) => {
        over?.(why)
        failed?.(why ?? new KeeperError('Closed', 'the gateway was closed'))
      },
    }
    const replica = new Replica({
      log,
      recovered,
      server: new Server({
        enforceQuota: options.enforceQuota ?? false,
        ...(options.superDigest === undefined ? {} : { superDigest: options.superDigest }),
      }),
      platform: nodePlatform,
      listener,
      browser,
      voters: meeting === null ? 1 : (options.ensemble?.voters ?? 3),
      lasting: true,
    })
    member = meeting?.member(replica, { recovered, browser }) ?? null
    const gateway = new Gateway(replica, options, ended, member)
    replica.start()
    try {
      await (member === null ? serving : member.join())
      gateway.#address = await gateway.#listener.listen(options.listen)
    } catch (error) {
      member?.leave()
      await replica.close()
      throw error
    }
    return gateway
  }

  private constructor(
    replica: Replica,
    options: GatewayOptions,
    ended: Promise<KeeperError | null>,
    member: Member | null,
  ) {
    this.#member = member
    this.#replica = replica
    this.#options = options
    this.#address = options.listen
    this.ended = ended
    this.#listener = new TcpListener({
      connected: (pipe, address) => replica.clientConnected(pipe, { from: 'tcp', address }),
      answer: (word) => this.#answer(word),
    })
  }

  /** With the port that it really has. */
  get address(): Address {
    return this.#address
  }

  inspect(): Promise<ReplicaState> {
    return this.#replica.inspect()
  }

  /** Takes no more clients, lets those that are there go, and ends the replica after its last write. Idempotent. */
  async close(): Promise<void> {
    await this.#listener.close()
    await this.#replica.close()
    this.#member?.leave()
  }

  async #answer(word: Word): Promise<string> {
    const state = await this.#replica.inspect()
    const settings = {
      clientPort: this.#address.port,
      clientPortAddress: this.#address.host,
      dataDir: this.#options.data,
      enforceQuota: String(this.#options.enforceQuota ?? false),
    }
    return answerWord(word, {
      state,
      connections: this.#listener.connections(),
      traffic: this.#listener.traffic,
      settings,
    })
  }
}

async function newIdentity(meeting: Meeting | null): Promise<NewIdentity> {
  const replica = (randomBytes(6).readUIntBE(0, 6) || 1) as ReplicaId
  const joined = (await meeting?.seek()) ?? null
  const ensemble = joined ?? (randomBytes(16).toString('hex') as EnsembleId)
  return { ensemble, replica, entries: joined === null ? founding(ensemble, replica) : [] }
}
