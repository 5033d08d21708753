import type { WatchNotice } from '../client/api.ts'
import { Doorbell } from '../recipes/doorbell.ts'
import { sessionIsOver, untilConnected } from '../recipes/retry.ts'
import { nonce } from '../recipes/world.ts'
import { ASSIGN_BATCH } from './assignment.ts'
import type { DispatcherOptions } from './dispatcher.ts'
import { resign, tryElect } from './dispatcher-election.ts'
import { DispatcherState, type Orders } from './dispatcher-state.ts'
import { QueuePaths } from './queue-paths.ts'
import type { TaskWorld } from './task-world.ts'
import { FencedError, Term } from './term.ts'

/** Milliseconds between two writes of the queue's statistics, at least. */
const PUBLISH_EVERY = 1000
/** Milliseconds after which a candidate looks again although nobody told it, and before a term after a failed one. */
const LOOK_AGAIN = 5000

/** Dispatches one queue: stands for election, and while it leads keeps the state up and commits what follows from it. */
export class QueueDispatcher {
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  readonly #keep: number
  readonly #report: (problem: unknown) => void
  readonly #bell = new Doorbell()
  #notices: WatchNotice[] = []
  #rebuild = false
  /** The zxid of the latest request for fresh statistics. */
  #poked = 0
  #leading = false
  #depose: boolean
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(world: TaskWorld, name: string, options: Required<DispatcherOptions>) {
    this.#world = world
    this.#queue = new QueuePaths(name)
    this.#keep = options.keep
    this.#depose = options.depose
    this.#report = options.onProblem
  }

  get #stopping(): boolean {
    return this.#stopped.signal.aborted
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** A change below the queue's node, or `resync`. */
  notice(notice: WatchNotice): void {
    if (notice.type === 'lost' || notice.type === 'resumed') return
    if (notice.type === 'resync') this.#rebuild = true
    else if (this.#leading) this.#notices.push(notice)
    // A candidate cares for one thing only; to try at every change would be a write for each.
    else if (notice.type !== 'NodeDeleted' || notice.path !== this.#queue.lead) return
    this.#bell.ring()
  }

  /** Resolves when nothing more is written; the lead is given up if there is still a connection. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#bell.ring()
    await this.#running
  }

  async #run(): Promise<void> {
    const { client } = this.#world
    while (!this.#stopping) {
      try {
        await untilConnected(client, this.#stopped.signal)
        if (!(await this.#stand())) await this.#pause(LOOK_AGAIN)
      } catch (error) {
        if (sessionIsOver(error)) return
        if (this.#stopping) break
        // Nothing that goes wrong in one term may end the dispatching: the next one starts from what is committed.
        this.#report(error)
        await this.#pause(LOOK_AGAIN)
      }
    }
    await this.#giveUp()
  }

  /** One term, if elected. */
  async #stand(): Promise<boolean> {
    const term = await tryElect(this.#world.client, this.#queue, nonce(this.#world.random), this.#depose)
    if (term === null) return false
    this.#depose = false
    this.#leading = true
    try {
      await this.#lead(term)
    } finally {
      this.#leading = false
    }
    return true
  }

  async #giveUp(): Promise<void> {
    try {
      if (this.#world.client.state === 'connected') await resign(this.#world.client, this.#queue)
    } catch (error) {
      if (!sessionIsOver(error)) this.#report(error)
    }
  }

  /** Until a ring, or `ms`. */
  async #pause(ms: number): Promise<void> {
    const cancel = this.#world.clock.after(Math.max(0, ms), () => this.#bell.ring())
    await this.#bell.wait()
    cancel()
  }

  async #lead(number: number): Promise<void> {
    try {
      for (;;) {
        this.#rebuild = false
        this.#notices = []
        const state = new DispatcherState(this.#keep)
        const term = new Term(this.#world, this.#queue, number, state)
        await term.load()
        await this.#keepUp(term, state)
        if (this.#stopping) return
      }
    } catch (error) {
      if (!(error instanceof FencedError)) throw error
    }
  }

  /** Until stopped, fenced, or news were missed. */
  async #keepUp(term: Term, state: DispatcherState): Promise<void> {
    let published = Number.NEGATIVE_INFINITY
    let poked = this.#poked
    while (!this.#stopping && !this.#rebuild) {
      await this.#learn(term, state)
      const orders = state.orders(term.now())
      await Promise.all(orders.reads.map((id) => term.readTask(id)))
      if (await this.#carryOut(term, state, orders)) continue
      if (this.#notices.length > 0 || orders.reads.length > 0) continue
      const now = this.#world.clock.now()
      const late = poked !== this.#poked
      poked = this.#poked
      if (late || now - published >= PUBLISH_EVERY) {
        published = now
        await term.publish(this.#poked)
      }
      if (this.#notices.length > 0) continue
      const due = orders.wakeAt === null ? PUBLISH_EVERY : orders.wakeAt - term.now()
      await this.#pause(Math.min(Math.max(due, 1), PUBLISH_EVERY))
    }
  }

  /** Takes in what the watch told; each thing that changed is read once. */
  async #learn(term: Term, state: DispatcherState): Promise<void> {
    const notices = this.#notices
    this.#notices = []
    state.tick(term.now())
    const tasks = new Set<string>()
    const workers = new Set<string>()
    const schedules = new Set<string>()
    let configured = false
    let poked = false
    for (const { type, path } of notices) {
      const place = this.#queue.parse(path)
      if (place.kind === 'record') tasks.add(place.id)
      else if (place.kind === 'config') configured = true
      else if (place.kind === 'poke') poked = true
      else if (place.kind === 'schedule') schedules.add(place.sid)
      else if (place.kind === 'worker') workers.add(place.wid)
      else if (place.kind === 'mailbox' && type === 'NodeDeleted') state.mailboxGone(place.wid)
      else if (place.kind === 'lease' && type === 'NodeDeleted') state.leaseGone(place)
      else if (place.kind === 'lease' && type === 'NodeCreated') state.lease(place)
    }
    if (configured) await term.readConfig()
    await Promise.all([...workers].map((wid) => term.readWorker(wid)))
    await Promise.all([...tasks].map((id) => term.readTask(id)))
    await Promise.all([...schedules].map((sid) => term.readSchedule(sid)))
    // What was committed before the poke is known by now.
    if (poked) this.#poked = await term.readPoke()
  }

  /** True if anything was ordered. */
  async #carryOut(term: Term, state: DispatcherState, first: Orders): Promise<boolean> {
    const { revokes, stops, buries, collects, endings, fires } = first
    const commits: Promise<void>[] = []
    let { assigns } = first
    while (assigns.length > 0) {
      commits.push(term.assign(assigns))
      // A full batch may have left more to assign; they go out together, each in its own transaction.
      if (assigns.length < ASSIGN_BATCH) break
      assigns = state.moreAssigns()
    }
    for (const lease of revokes) commits.push(term.revoke(lease))
    for (const lease of stops) commits.push(term.stop(lease))
    for (const ending of endings) commits.push(term.end(ending))
    for (const sid of fires) commits.push(term.fire(sid))
    for (const wid of buries) commits.push(term.bury(wid))
    if (collects.length > 0) commits.push(term.collect(collects))
    const outcomes = await Promise.allSettled(commits)
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return commits.length > 0
  }
}
