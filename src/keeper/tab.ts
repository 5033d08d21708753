import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { sessionLock } from '../base/life-locks.ts'
import type { FramePipe } from '../client/frame-pipe.ts'
import type { AskOffline } from '../client/offline-reads.ts'
import { portPipe } from '../client/port-pipe.ts'
import { Mesh } from '../mesh/mesh.ts'
import { standingOf } from '../mesh/partners.ts'
import { openRelayedPair, openRtcPair } from '../mesh/rtc-pair.ts'
import type { Started, WorkerEvent } from '../replica/service-api.ts'
import type { Lobby } from '../signaling/lobby.ts'
import type { Inspection, KeeperEvents } from './api.ts'
import type { Backing } from './backing.ts'
import { IceSource } from './ice-source.ts'
import { inspection } from './inspection.ts'
import type { Invitation } from './invitation.ts'
import { LastState } from './last-state.ts'
import { type CheckedOptions, checkVoters } from './options.ts'
import { pageClock } from './page-clock.ts'
import { watchVisibility } from './page-life.ts'
import { holdLock, runsElsewhere, watchLock } from './page-locks.ts'
import { Reception } from './reception.ts'
import type { Wires } from './wires.ts'
import type { WorkerHost } from './worker-host.ts'

export interface TabListener {
  ensemble(change: KeeperEvents['ensemble']): void
  notice(notice: KeeperEvents['notice']): void
  progress(progress: KeeperEvents['progress']): void
}

/** How long the worker may take to hand over and end. */
const CLOSE_MS = 3000
/** A replica that serves again has said so by then. */
const RETRY_MS = 1000
const STEP_DOWN_MS = 8000
/** Without a quorum for this long: longer than elections take, and the adoption of dead tabs' votes. */
const NO_QUORUM_MS = 8000
/** A page that has heard only others' secrets, and has nothing of its own, gives up after this long. */
const STRANGERS_MS = 2000

/** One page's part in the ensemble: its worker, its wires to the other pages, and the lock of its session. */
export class Tab implements Backing {
  readonly id: string
  readonly touchedByHost = true
  readonly clock = pageClock
  readonly lateNotice: Backing['lateNotice']
  /** Told before the tab ends because its page is left, where the page may be shown again. */
  onleave: (() => void) | null = null
  readonly #host: WorkerHost
  readonly started: Started
  readonly #name: string
  readonly #mesh: Mesh
  readonly #listener: TabListener
  /** Aborts when the tab has ended. */
  readonly #over = new AbortController()
  readonly #pipes = new Set<FramePipe>()
  readonly #ensembles = new Set<string>()
  readonly #state = new LastState()
  #why: KeeperError | null = null
  readonly #wires: Wires
  readonly #lobby: Lobby
  readonly #reception: Reception
  readonly #ice: IceSource
  /** When pages with another secret were first heard. */
  #strangersAt: number | null = null
  #linked = false
  readonly #links = new Set<string>()
  #session: { readonly id: string; readonly release: () => void } | null = null

  constructor(host: WorkerHost, started: Started, options: CheckedOptions, wires: Wires, listener: TabListener) {
    this.#host = host
    this.started = started
    this.#name = options.ensemble
    this.id = String(started.replica)
    this.lateNotice = {
      code: 'NoQuorum',
      message: `No session with the ensemble "${options.ensemble}" yet: too few of its voters are here to decide anything.`,
    }
    this.#listener = listener
    this.#wires = wires
    this.#lobby = wires.lobby(started.replica, () => this.#strangers('Others'))
    this.#ice = new IceSource(options.iceServers ?? [], (message) => listener.notice({ code: 'LinkFailed', message }))
    const openPair = options.iceTransportPolicy === 'relay' ? openRelayedPair : openRtcPair
    this.#reception = new Reception(host, started, {
      ...wires.clients,
      iceServers: () => this.#ice.servers(),
      openPair,
    })
    this.#mesh = new Mesh(
      {
        topic: wires.topic,
        ensemble: started.ensemble,
        self: started.replica,
        incarnation: started.incarnation,
        signaling: wires.signaling,
        iceServers: () => this.#ice.servers(),
        openPair,
        now: () => performance.now(),
        chance: () => Math.random(),
      },
      {
        deliver: async (peer, attempt, ends) => {
          await host.call('addLink', [peer, attempt, ends], [ends.control, ends.bulk])
        },
        bound: (peer, attempt, binding) => {
          if (wires.key !== null) this.#tellWorker(host.call('bindLink', [peer, attempt, binding]))
        },
        heard: (signal) => {
          if (signal.kind === 'bye') this.#tellWorker(host.call('peerGone', [signal.from, 'it said goodbye']))
          else if (signal.kind === 'stepDown') this.#tellWorker(host.call('stepDown', ['asked by another page']))
          else this.#tellWorker(host.call(signal.kind, [signal.session]))
        },
        stranger: (ensemble) => {
          if (this.#ensembles.has(ensemble)) return
          this.#ensembles.add(ensemble)
          const message = `Another ensemble of the same name is here: ${ensemble}; this page is in ${started.ensemble}.`
          listener.notice({ code: 'EnsembleMismatch', message })
        },
        notice: (code, message, peer) => listener.notice({ code, message, ...(peer === undefined ? {} : { peer }) }),
      },
    )
    if (wires.introductions !== null)
      wires.introductions.say = (to, text) => this.#tellWorker(host.call('introduce', [to, text]))
    host.onevent = (event) => this.#on(event)
    host.ondeath = (error) => {
      listener.notice({ code: noticeCode(error), message: error.message })
      this.#end(error)
    }
    watchLock(started.lock, this.#over.signal, () =>
      host.died(
        new KeeperError(
          'WorkerFailed',
          "The replica's worker is gone: the browser ended it, or the site's storage was cleared under this page. Reload it.",
        ),
      ),
    )
    addEventListener('pagehide', this.#leave, { signal: this.#over.signal })
    watchVisibility((hidden) => this.#tellWorker(host.call('pageHidden', [hidden])), this.#over.signal)
  }

  /** Why it has ended, or null. */
  get failure(): KeeperError | null {
    return this.#why
  }

  /** Enters the topic: from here on others know of this replica. */
  async join(): Promise<void> {
    const { ensemble } = this.started
    await this.#ice.servers()
    await Promise.all([this.#mesh.join(), this.#lobby.enter(), this.#reception.join()])
    this.#wires.servers?.assert(this.#wires.topic, await this.#wires.mark(ensemble))
  }

  /** A new connection of this page's client to its replica, once that serves. */
  readonly connect = async (): Promise<FramePipe> => {
    for (;;) {
      await this.#state.until((state) => state.serving, RETRY_MS).catch(() => undefined)
      if (this.#why !== null) throw new KeeperError('SessionExpired', this.#why.message, { cause: this.#why })
      const { port1, port2 } = new MessageChannel()
      const pipe = portPipe(port1)
      this.#pipes.add(pipe)
      try {
        await this.#host.call('connectClient', [port2, 'page'], [port2])
        return pipe
      } catch (error) {
        this.#pipes.delete(pipe)
        pipe.close()
        if (!(error instanceof KeeperError && error.code === 'ConnectionLoss')) throw error
        // What it told last was old already. It tells when it serves again, which is sooner than any timer of a hidden page.
        this.#state.correct({ serving: false })
      }
    }
  }

  readonly askOffline: AskOffline = (packets) => this.#host.call('answerOffline', [packets])

  /** Holds the session's lock: others of this browser end the session when this page is gone. 16 hexadecimal digits. */
  async holdSession(id: string): Promise<void> {
    const release = await holdLock(sessionLock(this.started.ensemble, id))
    if (this.#why !== null) return release()
    this.#session = { id, release }
    await this.#mesh.prepare({ kind: 'sessionEnded', session: id })
    this.#mesh.tell({ kind: 'sessionOpened', session: id })
  }

  async inspect(): Promise<Inspection> {
    const state = await this.#host.call('inspect', [])
    return inspection(this.#name, this.started, state, this.#mesh.status())
  }

  async reconfig(voters: readonly ReplicaId[]): Promise<null> {
    checkVoters(voters)
    return this.#host.call('reconfig', [voters])
  }

  /** Nobody can decide anything here, and nobody could for a while. Whoever is refused has lost nothing. */
  async giveUp(): Promise<EnsembleId> {
    await this.#demandAlone()
    const quorum = await this.#state
      .until(({ serving }) => serving, NO_QUORUM_MS)
      .then(
        () => true,
        () => false,
      )
    if (this.#why !== null) throw this.#why
    if (quorum)
      throw new KeeperError('StillRunning', `The ensemble "${this.#name}" has a quorum: nothing is to be recovered.`)
    await this.#demandAlone()
    return this.started.ensemble
  }

  async #demandAlone(): Promise<void> {
    const { ensemble, lock } = this.started
    if (this.#why === null && (await runsElsewhere(ensemble, lock)))
      throw new KeeperError(
        'StillRunning',
        `Other pages of this browser are in the ensemble "${this.#name}": close them.`,
      )
  }

  async invitation(role: Invitation['role']): Promise<Invitation> {
    const { key, urls } = this.#wires
    const secret = (role === 'client' ? key?.client : key?.root) ?? null
    return { ensemble: this.#name, id: this.started.ensemble, role, secret, signaling: urls }
  }

  async stepDown(): Promise<void> {
    const leader = this.#state.now?.leader ?? null
    if (leader === null) throw new KeeperError('Timeout', 'Nobody leads at the moment.')
    const other = this.#state.until((state) => state.leader !== null && state.leader !== leader, STEP_DOWN_MS)
    other.catch(() => undefined)
    if (leader === this.started.replica) await this.#host.call('stepDown', ['asked by its page'])
    else this.#mesh.tell({ kind: 'stepDown', to: leader })
    await other
  }

  /** Hands over if leading, says goodbye, and ends. Idempotent. */
  async close(): Promise<void> {
    if (this.#why !== null) return
    let late: ReturnType<typeof setTimeout> | undefined
    const timer = new Promise((resolve) => {
      late = setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([this.#host.call('close', []).catch(() => undefined), timer])
    clearTimeout(late)
    this.#end(new KeeperError('Closed', 'The keeper was closed.'))
  }

  /** What the back/forward cache keeps may come back to its session before that is over. */
  readonly #leave = ({ persisted }: PageTransitionEvent): void => {
    const returns = persisted && this.onleave !== null
    if (returns) this.onleave?.()
    this.#end(new KeeperError('Closed', 'The page was left.'), returns)
  }

  /** Everything at once and synchronously: in `pagehide` nothing comes after. */
  #end(why: KeeperError, returns = false): void {
    if (this.#why !== null) return
    this.#why = why
    if (this.#session !== null) {
      if (!returns) this.#mesh.tell({ kind: 'sessionEnded', session: this.#session.id })
      this.#session.release()
    }
    this.#reception.close()
    this.#mesh.close()
    this.#lobby.leave()
    this.#wires.end()
    this.#host.terminate()
    this.#over.abort()
    for (const pipe of this.#pipes) {
      pipe.onclose?.(why.message)
      pipe.close()
    }
    this.#pipes.clear()
    this.#state.end(why)
  }

  #on(event: WorkerEvent): void {
    switch (event.kind) {
      case 'tick':
        this.#mesh.ticked()
        this.#reception.ticked()
        return this.#giveUp()
      case 'linkOpened':
        this.#linked = true
        this.#mesh.linkOpened(event.peer, event.attempt)
        this.#links.add(`${event.peer} ${event.attempt}`)
        if (this.#links.size === 1) this.#wires.introductions?.reached()
        return
      case 'introduced':
        return this.#wires.introductions?.heard(event.text)
      case 'linkClosed':
        this.#links.delete(`${event.peer} ${event.attempt}`)
        return this.#mesh.linkClosed(event.peer, event.attempt, event.refused)
      case 'peerGone':
        return this.#mesh.peerGone(event.peer, event.reason)
      case 'changed': {
        const { role, leader, voters, epoch } = event.state
        this.#state.changed(event.state)
        this.#reception.changed(event.state)
        this.#mesh.stands(standingOf(this.started.replica, event.state))
        return this.#listener.ensemble({ role, leader, voters, epoch: epoch.current })
      }
      case 'notice': {
        const { code, message, peer } = event
        if (code === 'WrongSecret') return this.#strangers(`Replica ${peer}`)
        return this.#listener.notice({ code, message, ...(peer === null ? {} : { peer }) })
      }
      case 'progress':
        return this.#listener.progress({ what: 'snapshot', ...event.snapshot })
      case 'ended':
        if (event.error === null) return
        return this.#host.died(new KeeperError(event.error.code, event.error.message, { path: event.error.path }))
    }
  }

  #strangers(who: string): void {
    if (this.#strangersAt !== null) return
    this.#strangersAt = performance.now()
    this.#listener.notice({ code: 'WrongSecret', message: `${who} ${strangersMessage(this.#name)}` })
  }

  /** Whoever knows nothing yet and hears only pages with another secret has the wrong one. */
  #giveUp(): void {
    if (this.#strangersAt === null || this.#linked || !this.started.empty) return
    if (performance.now() - this.#strangersAt >= STRANGERS_MS)
      this.#host.died(new KeeperError('WrongSecret', `Others ${strangersMessage(this.#name)}`))
  }

  /** What cannot be told any more to a worker that is gone is of no use to anybody. */
  #tellWorker(call: Promise<unknown>): void {
    call.catch(() => undefined)
  }
}

const strangersMessage = (name: string): string =>
  `opened "${name}" with another secret, or without one: they are kept apart from this page.`

const noticeCode = (error: KeeperError): KeeperEvents['notice']['code'] =>
  error.code === 'StorageFailed' || error.code === 'UpdateNeeded' || error.code === 'WrongSecret'
    ? error.code
    : 'WorkerFailed'
