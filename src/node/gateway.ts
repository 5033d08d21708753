import { randomBytes } from 'node:crypto'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { ReplicaListener, ReplicaState } from '../replica/api.ts'
import { founding } from '../replica/founding.ts'
import { Replica } from '../replica/replica.ts'
import { Server } from '../server/server.ts'
import type { Address } from './address.ts'
import { answerWord, type Word } from './four-letter-words.ts'
import { openLevelLog } from './level-txn-log.ts'
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
  /** Told of trouble; default: nobody. */
  readonly notice?: (message: string) => void
}

/**
 * A replica without a browser: its log is in LevelDB, and any ZooKeeper client is its client, over TCP. Alone it is an ensemble of
 * one. TCP clients have sessions and ACLs, no vote.
 */
export class Gateway {
  readonly #replica: Replica
  readonly #listener: TcpListener
  readonly #options: GatewayOptions
  #address: Address
  /** Why the replica has ended by itself; resolves with null after `close`. */
  readonly ended: Promise<KeeperError | null>

  /** Resolves when it serves. Rejects with StorageFailed, UpdateNeeded, or as a listening socket does. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const { log, recovered } = await openLevelLog(options.data, { founding: foundAlone })
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
      // A failure domain of its own.
      browser: `node-${recovered.replica}`,
      voters: 1,
    })
    const gateway = new Gateway(replica, options, ended)
    replica.start()
    await serving
    try {
      gateway.#address = await gateway.#listener.listen(options.listen)
    } catch (error) {
      await replica.close()
      throw error
    }
    return gateway
  }

  private constructor(replica: Replica, options: GatewayOptions, ended: Promise<KeeperError | null>) {
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
  }

  async #answer(word: Word): Promise<string> {
    const state = await this.#replica.inspect()
    const settings = {
      clientPort: this.#address.port,
      clientPortAddress: this.#address.host,
      dataDir: this.#options.data,
      enforceQuota: String(this.#options.enforceQuota ?? false),
    }
    return answerWord(word, { state, connections: this.#listener.connections(), settings })
  }
}

function foundAlone(): { ensemble: EnsembleId; replica: ReplicaId; entries: ReturnType<typeof founding> } {
  const ensemble = randomBytes(16).toString('hex') as EnsembleId
  const replica = (randomBytes(6).readUIntBE(0, 6) || 1) as ReplicaId
  return { ensemble, replica, entries: founding(ensemble, replica) }
}
