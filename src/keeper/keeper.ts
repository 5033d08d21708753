import './async-dispose.ts'
import { KeeperError } from '../base/errors.ts'
import type { ReplicaId } from '../base/ids.ts'
import { sessionToHex } from '../base/life-locks.ts'
import { Client } from '../client/client.ts'
import type { Clock } from '../client/clock.ts'
import { Election } from '../recipes/election.ts'
import { Locks } from '../recipes/locks.ts'
import { Group } from '../recipes/membership.ts'
import { TaskQueue, type TaskQueueOptions } from '../tasks/task-queue.ts'
import type { TaskMap } from '../tasks/task-types.ts'
import type { TaskWorld } from '../tasks/task-world.ts'
import type { Inspection, KeeperBase, KeeperEvents, KeeperOpenOptions } from './api.ts'
import { keeperEvent } from './events.ts'
import { checkOptions } from './options.ts'
import { checkPlatform } from './platform.ts'
import { Tab } from './tab.ts'
import { WorkerHost } from './worker-host.ts'
import { ZnodeFace } from './znode-face.ts'

/** A page that still waits for its session after this long is told why. */
const NO_QUORUM_MS = 3000

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}

// One line, so that every bundler sees it.
const ownWorker = (): Worker => new Worker(new URL('../../workers/replica.js', import.meta.url), { type: 'module' })

/**
 * One page's place in an ensemble: it runs a replica in a worker of its own and is that replica's client. Fires `state`,
 * `ensemble` and `notice`.
 */
export class Keeper extends ZnodeFace implements KeeperBase {
  readonly ensemble: string
  readonly locks: Locks
  readonly #tab: Tab
  readonly #client: Client
  readonly #world: TaskWorld
  readonly #replica: ReplicaId
  #closing: Promise<void> | null = null

  /**
   * Resolves with a connected session. Rejects with `Unsupported`, `BadArguments`, `NoNode` (`create: 'never'`, and nothing
   * is known here), `WorkerFailed`, `StorageFailed`,
   * `UpdateNeeded`, `EnsembleMismatch`, or `Aborted` by `signal`; without a quorum it waits, and a notice says so.
   */
  static async open(options: KeeperOpenOptions): Promise<Keeper> {
    const checked = checkOptions(options)
    checkPlatform()
    const { signal } = checked
    if (signal?.aborted) throw new KeeperError('Aborted', 'Aborted: by its signal', { cause: signal.reason })
    let keeper: Keeper | null = null
    let opened = false
    const notice = (detail: KeeperEvents['notice']) => {
      keeper?.dispatchEvent(keeperEvent('notice', detail))
      if (checked.onNotice !== undefined) checked.onNotice(detail)
      else if (!opened) console.warn(`tabkeeper: ${detail.message}`)
    }
    const ensemble = (detail: KeeperEvents['ensemble']) => keeper?.dispatchEvent(keeperEvent('ensemble', detail))
    const { ensemble: name, voters, create } = checked
    const make = checked.worker ?? ownWorker
    const [host, started] = await WorkerHost.start(make, { ensemble: name, voters, create }, signal)
    const tab = new Tab(host, started, checked, { ensemble, notice })
    const late = clock.after(NO_QUORUM_MS, () => {
      const message = `No session with the ensemble "${name}" yet: too few of its voters are here to decide anything.`
      notice({ code: 'NoQuorum', message })
    })
    try {
      await tab.join()
      keeper = new Keeper(tab, started.replica, checked)
      await keeper.#client.connected(signal === undefined ? {} : { signal })
      await tab.holdSession(sessionToHex(keeper.#client.sessionId))
      opened = true
      return keeper
    } catch (error) {
      // Of a worker that died, the client knows only that its session is over.
      const failure = tab.failure ?? error
      await (keeper ?? tab).close()
      throw failure
    } finally {
      late()
    }
  }

  private constructor(
    tab: Tab,
    replica: ReplicaId,
    options: { readonly ensemble: string; readonly sessionTimeout: number },
  ) {
    const client = Client.connect(tab.connect, {
      clock,
      random: () => Math.random(),
      sessionTimeout: options.sessionTimeout,
      touchedByHost: true,
    })
    super(client)
    this.ensemble = options.ensemble
    this.#tab = tab
    this.#client = client
    this.#replica = replica
    this.#world = { client, clock, random: (into) => crypto.getRandomValues(into), wallTime: () => Date.now() }
    this.locks = new Locks(this.#world)
    client.onState((change) => this.dispatchEvent(keeperEvent('state', change)))
  }

  /** `id`: what this page calls itself there; by default its replica's id. */
  election(name: string, options: { readonly id?: string } = {}): Election {
    return new Election(this.#world, name, options.id ?? String(this.#replica))
  }

  membership(name: string): Group {
    return new Group(this.#world, name)
  }

  queue<M extends TaskMap<M>>(name: string, options?: TaskQueueOptions): TaskQueue<M> {
    return new TaskQueue<M>(this.#world, name, options)
  }

  inspect(): Promise<Inspection> {
    return this.#tab.inspect()
  }

  stepDown(): Promise<void> {
    return this.#tab.stepDown()
  }

  async reconfig(voters: readonly ReplicaId[]): Promise<void> {
    await this.#tab.reconfig(voters)
  }

  /** Ends the session (its ephemerals vanish), hands over if this replica leads, and ends the worker. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#client.close()
    } finally {
      await this.#tab.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
