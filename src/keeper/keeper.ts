import './async-dispose.ts'
import { KeeperError } from '../base/errors.ts'
import type { ReplicaId } from '../base/ids.ts'
import { sessionToHex } from '../base/life-locks.ts'
import { checkOptions } from '../client/arguments.ts'
import { Client } from '../client/client.ts'
import { Election } from '../recipes/election.ts'
import { Dispatcher } from '../tasks/dispatcher.ts'
import { TaskQueue, type TaskQueueOptions } from '../tasks/task-queue.ts'
import type { TaskMap } from '../tasks/task-types.ts'
import type { TaskWorld } from '../tasks/task-world.ts'
import type { Inspection, KeeperBase, KeeperEvents, KeeperOpenOptions } from './api.ts'
import type { Backing } from './backing.ts'
import { Entrance, type Start } from './entrance.ts'
import { keeperEvent } from './events.ts'
import { Guest } from './guest.ts'
import { invitationLink, readInvitation, writeInvitation } from './invitation.ts'
import { type CheckedOptions, checkOpenOptions } from './options.ts'
import { pageClock } from './page-clock.ts'
import { isPhone, pageLife } from './page-life.ts'
import { checkClientPlatform, checkPlatform } from './platform.ts'
import { RecipesFace } from './recipes-face.ts'
import { Remote } from './remote.ts'
import { Returning } from './returning.ts'
import { Tab, type TabListener } from './tab.ts'
import { makeClientWires, makeWires } from './wires.ts'
import { WorkerHost } from './worker-host.ts'

/** A page that still waits for its session after this long is told why. */
const LATE_MS = 3000

// One line, so that every bundler sees it.
const ownWorker = (): Worker => new Worker(new URL('../../workers/replica.js', import.meta.url), { type: 'module' })

async function startBacking(options: CheckedOptions, listener: TabListener, signal?: AbortSignal): Promise<Backing> {
  const { ensemble, server } = options
  if (server !== undefined) return new Remote(ensemble, server)
  if (options.role === 'client')
    return new Guest(options, await makeClientWires(options), (message) =>
      listener.notice({ code: 'LinkFailed', message }),
    )
  const tab = await startTab(options, listener, signal)
  return new Returning(tab, () => startTab({ ...options, join: tab.started.ensemble }, listener))
}

async function startTab(options: CheckedOptions, listener: TabListener, signal?: AbortSignal): Promise<Tab> {
  const { ensemble, voters, handoverAfterHidden, worker = ownWorker } = options
  let warned = false
  const wires = await makeWires(options, () => {
    if (warned) return
    warned = true
    listener.notice({ code: 'BadPeer', message: `Somebody without the secret writes to the members of "${ensemble}".` })
  })
  const secret = wires.key === null ? {} : { linkKey: wires.key.link }
  const start: Start = (how) =>
    WorkerHost.start(
      worker,
      { ensemble, voters, handoverAfterHidden, phone: isPhone(navigator), ...secret, ...how },
      signal,
    )
  try {
    const [host, started] = await new Entrance(wires, options, start, listener.notice).enter()
    return new Tab(host, started, options, wires, listener)
  } catch (error) {
    wires.end()
    throw error
  }
}

function demandForce(options: { readonly force?: unknown } | undefined): void {
  if (options?.force === true) return
  const message =
    'force must be true: a fork is for good, and what the other voters know beyond this page is lost to it.'
  throw new KeeperError('BadArguments', message, { path: 'force' })
}

/**
 * One page's place in an ensemble: it runs a replica in a worker of its own and is that replica's client. Fires `state`,
 * `ensemble` and `notice`.
 */
export class Keeper extends RecipesFace implements KeeperBase {
  readonly ensemble: string
  readonly #backing: Backing
  readonly #options: CheckedOptions
  readonly #client: Client
  readonly #world: TaskWorld
  /** Where no replica's worker runs one. */
  #dispatcher: Dispatcher | null = null
  #closing: Promise<void> | null = null

  /**
   * Resolves with a connected session. Rejects with `Unsupported`, `BadArguments`, `NoNode` (`create: 'never'`, and nothing
   * is known here), `WrongSecret` (members are here, with another one), `TooManySessions` (a page without a replica, and nobody has a
   * place for it), `WorkerFailed`, `StorageFailed`,
   * `UpdateNeeded`, `EnsembleMismatch`, or `Aborted` by `signal`; without a quorum it waits, and a notice says so.
   */
  static async open(options: KeeperOpenOptions): Promise<Keeper> {
    return Keeper.#open(checkOpenOptions(options))
  }

  /**
   * As `open`, into the ensemble that a member's `invitation` names (the word, or the link), as a member or a client: never a founding. Members
   * who found one another by an application's own Signaling give it in `options`. Rejects with `BadArguments` where it is no invitation.
   */
  static async join(
    invitation: string,
    options: Omit<KeeperOpenOptions, 'ensemble' | 'role' | 'secret' | 'create' | 'server'> = {},
  ): Promise<Keeper> {
    const { ensemble, id, role, secret, signaling } = readInvitation(invitation)
    const by = signaling.length > 0 ? { signaling } : {}
    const checked = checkOpenOptions({ ...by, ...options, role, ensemble, secret, create: 'never' })
    const client = role === 'client' && secret !== null ? { clientKey: secret } : {}
    return Keeper.#open({ ...checked, ...client, join: id })
  }

  /**
   * As `keeper.recover`, for a page that cannot have a keeper: without a quorum `open` waits. `NoNode` where this browser holds no replica of
   * the ensemble.
   */
  static async recover(options: KeeperOpenOptions & { readonly force: true }): Promise<Keeper> {
    const checked = checkOpenOptions(options)
    demandForce(options)
    if (checked.server !== undefined || checked.role === 'client')
      throw new KeeperError('Unsupported', 'A page without a replica has nothing to recover from.')
    checkPlatform('member')
    const { onNotice = () => undefined, signal } = checked
    const listener = { ensemble: () => undefined, progress: () => undefined, notice: onNotice }
    const tab = await startTab({ ...checked, heldHere: true }, listener, signal)
    try {
      await tab.join()
      const fork = await tab.giveUp()
      await tab.close()
      return await Keeper.#open({ ...checked, fork })
    } finally {
      await tab.close()
    }
  }

  static async #open(checked: CheckedOptions): Promise<Keeper> {
    if (checked.server !== undefined) checkClientPlatform()
    else checkPlatform(checked.role ?? 'member')
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
    const progress = (detail: KeeperEvents['progress']) => {
      keeper?.dispatchEvent(keeperEvent('progress', detail))
      checked.onProgress?.(detail)
    }
    const backing = await startBacking(checked, { ensemble, notice, progress }, signal)
    const late = pageClock.after(LATE_MS, () => notice(backing.lateNotice))
    try {
      await backing.join()
      keeper = new Keeper(backing, checked)
      await keeper.#client.connected(signal === undefined ? {} : { signal })
      await backing.holdSession(sessionToHex(keeper.#client.sessionId))
      opened = true
      return keeper
    } catch (error) {
      // Of a worker that died, the client knows only that its session is over.
      const failure = backing.failure ?? error
      await (keeper ?? backing).close()
      throw failure
    } finally {
      late()
    }
  }

  private constructor(backing: Backing, options: CheckedOptions) {
    const { clock } = backing
    const client = Client.connect(backing.connect, {
      clock,
      random: () => Math.random(),
      sessionTimeout: options.sessionTimeout,
      touchedByHost: backing.touchedByHost,
      ...(backing.askOffline === undefined ? {} : { askOffline: backing.askOffline }),
    })
    const world = {
      client,
      clock,
      random: crypto.getRandomValues.bind(crypto),
      wallTime: () => Date.now(),
      ...('document' in globalThis ? { page: pageLife() } : {}),
    }
    super(client, world)
    this.ensemble = options.ensemble
    this.#backing = backing
    this.#options = options
    this.#client = client
    this.#world = world
    client.onState((change) => this.dispatchEvent(keeperEvent('state', change)))
  }

  /** `id`: what this page calls itself there; by default its replica's id, or a random one where it has no replica. */
  election(name: string, options: { readonly id?: string } = {}): Election {
    return new Election(this.#world, name, checkOptions(options).id ?? this.#backing.id)
  }

  queue<M extends TaskMap<M>>(name: string, options?: TaskQueueOptions<M>): TaskQueue<M> {
    const queue = new TaskQueue<M>(this.#world, name, options)
    this.#dispatch()
    return queue
  }

  inspect(): Promise<Inspection> {
    return this.#backing.inspect(this.#client)
  }

  stepDown(): Promise<void> {
    return this.#backing.stepDown()
  }

  async reconfig(voters: readonly ReplicaId[]): Promise<void> {
    await this.#backing.reconfig(voters)
  }

  async recover(options: { readonly force: true }): Promise<Keeper> {
    demandForce(options)
    const fork = await this.#backing.giveUp()
    await this.close()
    const { join: _, signal: __, ...again } = this.#options
    return Keeper.#open({ ...again, fork })
  }

  async invitation(
    options: { readonly page?: string | URL; readonly role?: 'member' | 'client' } = {},
  ): Promise<string> {
    const { page, role = 'member' } = checkOptions(options)
    if (this.#closing !== null) throw new KeeperError('Closed')
    if (role !== 'member' && role !== 'client')
      throw new KeeperError('BadArguments', "role must be 'member' or 'client'.", { path: 'role' })
    const word = writeInvitation(await this.#backing.invitation(role))
    return page === undefined ? word : invitationLink(String(page), word)
  }

  /** Ends the session (its ephemerals vanish), hands over if this replica leads, and ends the worker. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** In an ensemble of pages the leader's worker dispatches; servers elsewhere do not, so the pages that use queues elect one of them. */
  #dispatch(): void {
    if (this.#dispatcher !== null || this.#closing !== null || !(this.#backing instanceof Remote)) return
    this.#dispatcher = new Dispatcher(this.#world)
    // It ends with the session, and then so does everything else here.
    this.#dispatcher.start().catch(() => undefined)
  }

  async #close(): Promise<void> {
    const stopped = this.#dispatcher?.stop().catch(() => undefined)
    try {
      await this.#client.close()
      await stopped
    } finally {
      await this.#backing.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
