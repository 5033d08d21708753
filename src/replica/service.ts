import { BUILD } from '../base/build.ts'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { sessionFromHex } from '../base/life-locks.ts'
import { TIMES } from '../base/limits.ts'
import type { ReplicaServer } from '../server/orders.ts'
import type { Recovered, TxnLog } from '../storage/txn-log.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../transport/codec.ts'
import type { LinkBinding } from '../transport/link-proof.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import { Adoption, type Orphan } from './adoption.ts'
import type { ClientPipe, Platform, ReplicaHost, ReplicaListener, ReplicaState } from './api.ts'
import { Farewells } from './farewells.ts'
import { Introducer } from './introducer.ts'
import { LinkDesk, type LinkEnds } from './link-desk.ts'
import { Neighbours } from './neighbours.ts'
import { Replica } from './replica.ts'
import type { ErrorData, ReplicaService, Reply, Started, StartOptions, WorkerEvent } from './service-api.ts'
import { isUntouched } from './untouched.ts'

/** An identity taken up, its lock held and its log open. */
export interface Claim {
  readonly log: TxnLog
  readonly recovered: Recovered
  readonly browser: string
  readonly lock: string
  readonly founded: boolean
  discard(): Promise<void>
}

/** What the worker's composition root decides. */
export interface ServiceParts {
  claim(options: StartOptions): Promise<Claim>
  /** Takes up this identity of a dead tab; null where that cannot be. */
  adopt(options: StartOptions, ensemble: EnsembleId, replica: ReplicaId): Promise<Orphan | null>
  server(): ReplicaServer
  platform(): Platform
  pipe(port: MessagePort): ClientPipe
  readonly locks: LockManager
  /** What runs only where the ensemble's leader runs. */
  leading(replica: ReplicaHost): void
  notLeading(): void
}

/** The page's only timer. */
const TICK_MS = 250
/** How often the browser's locks are looked through. */
const LOOK_MS = 1000

interface Running {
  readonly ensemble: EnsembleId
  readonly replica: Replica
  readonly desk: LinkDesk
  readonly introducer: Introducer
  readonly neighbours: Neighbours
  readonly farewells: Farewells
  readonly adoption: Adoption
  readonly discard: () => Promise<void>
}

/** One page's replica, for its page: starts it, feeds it links and clients, and passes on what it tells. */
export class Service implements ReplicaService {
  readonly #parts: ServiceParts
  #running: Running | null = null
  #post: (event: WorkerEvent) => void = () => {}
  readonly #stops: (() => void)[] = []

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  hello(build: string): Promise<Reply<null>> {
    return reply(() => {
      if (build === BUILD) return null
      throw new KeeperError('UpdateNeeded', `The page is ${build} and its worker ${BUILD}: reload the page.`)
    })
  }

  start(options: StartOptions, events: MessagePort): Promise<Reply<Started>> {
    return reply(async () => {
      if (this.#running !== null) throw new KeeperError('BadArguments', 'This worker has been started already.')
      this.#post = (event) => events.postMessage(event)
      return this.#run(options, await this.#parts.claim(options))
    })
  }

  // Not async: what arrives on a channel before the next task must be heard.
  addLink(peer: ReplicaId, attempt: number, ends: LinkEnds): Promise<Reply<null>> {
    return this.#do(({ desk }) => desk.add(peer, attempt, ends))
  }

  bindLink(peer: ReplicaId, attempt: number, binding: LinkBinding): Promise<Reply<null>> {
    return this.#do(({ desk }) => desk.bind(peer, attempt, binding))
  }

  introduce(to: ReplicaId | null, text: string): Promise<Reply<null>> {
    return this.#do(({ introducer }) => introducer.say(to, text))
  }

  connectClient(port: MessagePort, from: 'page' | 'peer'): Promise<Reply<null>> {
    return this.#do(({ replica }) => {
      const accepted = replica.clientConnected(this.#parts.pipe(port), { from, address: '' })
      // Said in the answer: what is posted by a port that has only just arrived may never be heard.
      if (!accepted) throw new KeeperError('ConnectionLoss', 'This replica serves nobody at the moment.')
    })
  }

  answerOffline(packets: readonly Uint8Array[]): Promise<Reply<readonly (Uint8Array | null)[]>> {
    return reply(() => packets.map((packet) => this.#now().replica.answerOffline(packet)))
  }

  inspect(): Promise<Reply<ReplicaState>> {
    return reply(async () => {
      const { replica, desk } = this.#now()
      const state = await replica.inspect()
      return { ...state, marks: { ...state.marks, ...desk.marks } }
    })
  }

  stepDown(reason: string): Promise<Reply<null>> {
    return this.#do(({ replica }) => replica.stepDown(reason))
  }

  reconfig(voters: readonly ReplicaId[]): Promise<Reply<null>> {
    return reply(async () => {
      await this.#now().replica.reconfig(voters)
      return null
    })
  }

  pageHidden(hidden: boolean): Promise<Reply<null>> {
    return this.#do(({ replica }) => replica.pageHidden(hidden))
  }

  peerGone(peer: ReplicaId, reason: string): Promise<Reply<null>> {
    return this.#do(({ replica }) => replica.peerGone(peer, reason))
  }

  sessionOpened(_session: string): Promise<Reply<null>> {
    // Its lock says whether that is true.
    return this.#do(({ neighbours }) => this.#look(neighbours))
  }

  sessionEnded(session: string): Promise<Reply<null>> {
    return this.#do(({ farewells }) => {
      const id = sessionFromHex(session)
      if (id !== null) farewells.add(id)
    })
  }

  discard(): Promise<Reply<null>> {
    return reply(async () => {
      const { replica, adoption, discard } = this.#now()
      await replica.close()
      await adoption.close()
      await discard()
      return null
    })
  }

  close(): Promise<Reply<null>> {
    return reply(async () => {
      await this.#running?.replica.close()
      await this.#running?.adoption.close()
      return null
    })
  }

  #run(options: StartOptions, claim: Claim): Started {
    const { recovered, browser, lock } = claim
    const { ensemble, replica: self, incarnation } = recovered
    const platform = this.#parts.platform()
    const replica = new Replica({
      log: claim.log,
      recovered,
      server: this.#parts.server(),
      platform,
      listener: this.#listener(),
      browser,
      voters: options.voters,
      timing: { ...TIMES, handoverAfterHidden: options.handoverAfterHidden ?? TIMES.handoverAfterHidden },
    })
    const hello = {
      ensemble,
      replica: self,
      incarnation,
      versionMin: PEER_VERSION,
      versionMax: PEER_VERSION_MAX,
      format: FORMAT_VERSION,
      browser,
      build: BUILD,
      phone: options.phone === true,
    }
    const farewells = new Farewells(replica)
    const neighbours = new Neighbours(this.#parts.locks, ensemble, self, {
      gone: (who) => {
        if (who.kind === 'session') return farewells.add(who.session)
        const reason = 'its worker is gone'
        replica.peerGone(who.replica, reason)
        this.#post({ kind: 'peerGone', peer: who.replica, reason })
      },
    })
    const introducer = new Introducer(
      self,
      () => platform.now(),
      (text) => this.#post({ kind: 'introduced', text }),
    )
    const desk = new LinkDesk(
      hello,
      (link) => {
        replica.linkOpened(link)
        introducer.linkOpened(link)
        if (link.about.browser === browser) this.#look(neighbours)
      },
      this.#post,
      options.linkKey === undefined ? null : { key: options.linkKey, entropy: (length) => platform.entropy(length) },
    )
    const adoption = new Adoption({
      hello,
      main: replica,
      now: () => platform.now(),
      claim: (id) => this.#parts.adopt(options, ensemble, id),
      make: (orphan, listener) =>
        new Replica({
          log: orphan.log,
          recovered: orphan.recovered,
          server: this.#parts.server(),
          platform,
          listener,
          browser,
          adopted: true,
          voters: options.voters,
        }),
    })
    this.#running = {
      ensemble,
      replica,
      desk,
      introducer,
      neighbours,
      farewells,
      adoption,
      discard: () => claim.discard(),
    }
    this.#stops.push(
      () => neighbours.stop(),
      platform.every(TICK_MS, () => this.#post({ kind: 'tick' })),
      platform.every(LOOK_MS, () => {
        this.#look(neighbours)
        farewells.repeat()
        // What cannot be adopted now may be later.
        adoption.look().catch(() => undefined)
      }),
    )
    replica.start()
    this.#look(neighbours)
    const empty = recovered.entries.length === 0 && recovered.snapshot.length === 0
    return {
      ensemble,
      replica: self,
      incarnation,
      browser,
      lock,
      founded: claim.founded,
      empty,
      untouched: isUntouched(recovered),
      forkedFrom: recovered.forkedFrom ?? null,
    }
  }

  #listener(): ReplicaListener {
    return {
      changed: (state) => {
        this.#running?.farewells.serving(state.serving)
        this.#running?.adoption.changed(state)
        if (this.#running !== null) this.#running.introducer.voters = state.voters
        this.#post({ kind: 'changed', state })
      },
      leading: () => {
        if (this.#running !== null) this.#parts.leading(this.#running.replica)
      },
      notLeading: () => this.#parts.notLeading(),
      progress: (snapshot) => this.#post({ kind: 'progress', snapshot }),
      notice: (code, message, peer = undefined) => this.#post({ kind: 'notice', code, message, peer: peer ?? null }),
      ended: (why) => {
        for (const stop of this.#stops.splice(0)) stop()
        this.#post({ kind: 'ended', error: why === null ? null : errorData(why) })
      },
    }
  }

  /** Other signs of death remain where the browser refuses to list its locks. */
  #look(neighbours: Neighbours): void {
    neighbours.look().catch(() => undefined)
  }

  #now(): Running {
    if (this.#running === null) throw new KeeperError('BadArguments', 'This worker has not been started.')
    return this.#running
  }

  #do(act: (running: Running) => void): Promise<Reply<null>> {
    return reply(() => {
      act(this.#now())
      return null
    })
  }
}

/** Runs `act` at once; its exception becomes data. */
async function reply<T>(act: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    return { ok: false, error: errorData(error) }
  }
}

function errorData(error: unknown): ErrorData {
  if (error instanceof KeeperError) return { code: error.code, message: error.message, path: error.path }
  return { code: 'WorkerFailed', message: `The replica's worker failed: ${String(error)}`, path: undefined }
}
