import { KeeperError } from '../../../src/base/errors.ts'
import { Dispatcher } from '../../../src/tasks/dispatcher.ts'
import { TaskError } from '../../../src/tasks/task-error.ts'
import { TaskQueue } from '../../../src/tasks/task-queue.ts'
import type { AddOptions, TaskContext, TaskHandle, TaskType } from '../../../src/tasks/task-types.ts'
import type { Chance } from '../chance.ts'
import type { Journal } from '../history/journal.ts'
import type { Node } from '../node.ts'
import { Violation } from '../violation.ts'
import type { World } from '../world.ts'
import { audit, QUEUE, WON } from './audit.ts'
import { type Guest, openGuest } from './guest.ts'
import { Ledger } from './ledger.ts'

interface Jobs {
  readonly work: TaskType<number, number>
}

interface Added {
  readonly task: TaskHandle<number>
  /** How its waiter ended: the attempt that gave the result, or a TaskError's code. */
  end: number | string | null
}

/** What a page may meet on a bad day; anything else is a fault of ours. */
const isBadDay = (error: unknown): boolean =>
  error instanceof KeeperError &&
  ['SessionExpired', 'Closed', 'NoNode', 'ConnectionLoss', 'Aborted'].includes(error.code)

/** Pages that add tasks, run them and wait for them, over the replicas of a life; a dispatcher beside each leader, as in the product. */
export class TaskGuests {
  readonly #world: World
  readonly #nodes: () => readonly Node[]
  readonly #latency: () => number
  readonly #journal: Journal
  readonly #chance: Chance
  readonly #timeouts: readonly number[]
  readonly #ledger = new Ledger()
  readonly #added: Added[] = []
  readonly #waiting = new Set<Promise<void>>()
  readonly #pages = new Set<Guest>()
  readonly #dispatchers = new Map<
    Node,
    { readonly boot: number; readonly guest: Guest; readonly dispatcher: Dispatcher }
  >()
  #adding: Promise<void> = Promise.resolve()
  #healed = false
  #over = false
  violation: Violation | null = null
  readonly #seen = { added: 0, runs: 0, pages: 0, terms: 0, frozen: 0, crashed: 0, failed: 0, cancelled: 0, refused: 0 }

  constructor(
    world: World,
    nodes: () => readonly Node[],
    latency: () => number,
    journal: Journal,
    timeouts: readonly number[],
  ) {
    this.#world = world
    this.#nodes = nodes
    this.#latency = latency
    this.#journal = journal
    this.#timeouts = timeouts
    this.#chance = world.chance('tasks')
  }

  get done(): Readonly<Record<string, number>> {
    return { ...this.#seen, refused: this.#ledger.refused }
  }

  start(pages: number): void {
    this.#adding = this.#add()
    this.#adding.catch((error: unknown) => this.#broken(error))
    for (let i = 0; i < pages + 1; i++) this.#work()
    this.#dispatch()
    this.#misfortune()
  }

  #broken(error: unknown): void {
    if (isBadDay(error)) return
    this.violation ??=
      error instanceof Violation ? error : new Violation('T9', String((error as Error)?.stack ?? error))
  }

  #open(hosts: () => readonly Node[] = this.#nodes, timeout = this.#chance.pick(this.#timeouts)): Guest {
    return openGuest(this.#world, this.#chance, hosts, this.#latency, timeout)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.after(1 + ms, null, resolve))
  }

  /** Who adds is not frozen, but its connections fail as those of others do. */
  async #add(): Promise<void> {
    const guest = this.#open(this.#nodes, 120_000)
    const queue = new TaskQueue<Jobs>(guest, QUEUE)
    try {
      await guest.client.create(WON)
    } catch (error) {
      if (!(error instanceof KeeperError && (error.code === 'NodeExists' || error.code === 'ConnectionLoss')))
        throw error
      await guest.client.create(WON).catch(() => undefined)
    }
    for (let i = 0; i < 60 && !this.#healed; i++) {
      const adding = queue.add('work', i, this.#options(i))
      // Adds overlap, and share transactions.
      const added = adding.then((task) => this.#await(task))
      if (this.#chance.is(0.5)) await added
      else added.catch((error: unknown) => this.#broken(error))
      if (this.#chance.is(0.05)) guest.drop()
      await this.#pause(this.#chance.exp(80))
    }
  }

  #options(i: number): AddOptions {
    const is = (p: number): boolean => this.#chance.is(p)
    const pick = <T>(from: readonly T[]): T => this.#chance.pick(from)
    const int = (from: number, to: number): number => this.#chance.int(from, to)
    const earlier = this.#added.slice(-5).map(({ task }) => task.id)
    return {
      id: `t${i}`,
      priority: int(0, 3),
      maxCrashes: 1000,
      retry: { max: pick([0, 2, 6]), backoff: { delay: 50, max: 400 } },
      ...(is(0.2) ? { delay: int(0, 3000) } : {}),
      ...(is(0.3) && earlier.length > 0 ? { after: [pick(earlier)], onDepFail: pick(['fail', 'run'] as const) } : {}),
      ...(is(0.2) ? { timeout: pick([100, 2000]) } : {}),
      ...(is(0.3) ? { group: pick(['a', 'b']) } : {}),
      ...(is(0.2) ? { affinity: pick(['x', 'y']) } : {}),
      ...(is(0.2) ? { dedup: { key: pick(['k', 'l']), mode: pick(['join', 'replace'] as const) } } : {}),
    }
  }

  #await(task: TaskHandle<number>): void {
    this.#seen.added++
    const added: Added = { task, end: null }
    this.#added.push(added)
    const wait = task.result().then(
      (attempt) => {
        added.end = attempt
      },
      (error: unknown) => {
        if (!(error instanceof TaskError)) return this.#broken(new Violation('T7', `${task.id}: ${error}`))
        added.end = error.code
      },
    )
    this.#waiting.add(wait)
    void wait.then(() => this.#waiting.delete(wait))
    if (this.#chance.is(0.08)) {
      this.#world.after(this.#chance.int(0, 1500), null, () => {
        task.cancel('no more').catch((error: unknown) => this.#broken(error))
      })
    }
  }

  /** A page that works until its session is over; then another one. */
  #work(): void {
    if (this.#over) return
    this.#seen.pages++
    const page = this.#open()
    this.#pages.add(page)
    const next = (): void => {
      if (this.#pages.delete(page)) this.#world.after(this.#chance.int(10, 500), null, () => this.#work())
    }
    const over = (error: unknown): void => {
      this.#broken(error)
      next()
    }
    const run = async (_: number, context: TaskContext): Promise<number> => {
      this.#seen.runs++
      const { id, attempt, token } = context
      context.alsoCommit([{ op: 'create', path: `${WON}/${id}-`, data: String(attempt), mode: 'persistentSequential' }])
      const writes = this.#chance.real()
      if (writes < 0.2) await context.saveCheckpoint(attempt).catch(() => undefined)
      await new Promise<void>((resolve) => page.clock.after(this.#chance.exp(150), resolve))
      if (writes > 0.9) throw new Error('bad luck')
      this.#ledger.write(id, token.zxid, attempt)
      return attempt
    }
    const opening = new TaskQueue<Jobs>(page, QUEUE).worker({ work: run }, { slots: this.#chance.int(1, 4) })
    opening.then((worker) => worker.ended.then(next, over), over)
  }

  #misfortune(): void {
    if (this.#healed) return
    const page = this.#pages.size > 0 ? this.#chance.pick([...this.#pages]) : null
    const luck = this.#chance.real()
    if (page !== null && luck < 0.35) {
      this.#seen.frozen++
      page.freeze()
      this.#world.after(this.#chance.exp(4000), null, () => page.thaw())
    } else if (page !== null && luck < 0.5) {
      this.#seen.crashed++
      this.#pages.delete(page)
      page.crash()
      this.#world.after(this.#chance.int(10, 500), null, () => this.#work())
    } else page?.drop()
    this.#world.after(this.#chance.exp(1200), null, () => this.#misfortune())
  }

  /** As the leader's worker does: a dispatcher of its own replica, that deposes the one before. */
  #dispatch(): void {
    if (this.#over) return
    for (const node of this.#nodes()) {
      const role = node.replica?.peer.role
      const leads = role?.kind === 'leading' && role.phase === 'broadcast' && !node.frozen
      const known = this.#dispatchers.get(node)
      const stale = known !== undefined && (known.boot !== node.boot || known.guest.client.state === 'lost')
      if (known !== undefined && (stale || (!leads && !node.frozen))) {
        this.#dispatchers.delete(node)
        if (known.boot !== node.boot) known.guest.crash()
        // The others of their own accord: a leader that does not know yet that it is none.
        else if (this.#chance.is(0.5))
          void known.dispatcher
            .stop()
            .then(() => known.guest.client.close())
            .catch(() => undefined)
      }
      if (!leads || this.#dispatchers.has(node)) continue
      this.#seen.terms++
      const { boot } = node
      const guest = this.#open(() => (node.boot === boot ? [node] : []), 6000)
      const dispatcher = new Dispatcher(guest, { depose: true, onProblem: (problem) => this.#broken(problem) })
      dispatcher.start().catch((error: unknown) => this.#broken(error))
      this.#dispatchers.set(node, { boot, guest, dispatcher })
    }
    this.#world.after(this.#chance.int(50, 400), null, () => this.#dispatch())
  }

  /** Nothing more goes wrong; every waiter still has to end. */
  async stop(): Promise<void> {
    this.#healed = true
    for (const page of this.#pages) page.thaw()
    await this.#adding
    while (this.#waiting.size > 0) await Promise.all(this.#waiting)
    this.#over = true
  }

  /** Who still waits, and why: for the message when not all end. */
  get late(): string {
    return this.#added
      .filter(({ end }) => end === null)
      .map(({ task }) => task.id)
      .join(' ')
  }

  async check(): Promise<void> {
    if (this.violation !== null) throw this.violation
    const { winners, records } = audit(this.#journal.log)
    for (const { task, end } of this.#added) {
      const { id } = task
      const state = records.get(id)?.state
      if (typeof end === 'number') {
        if (winners.get(id) !== end) {
          throw new Violation('T8', `${id} gave the result of attempt ${end}, attempt ${winners.get(id)} completed it`)
        }
        if (this.#ledger.attemptOf(id) !== end) {
          throw new Violation('T6', `${id}: attempt ${end} completed it, the ledger has ${this.#ledger.attemptOf(id)}`)
        }
      } else if (winners.has(id) || (state !== 'failed' && state !== 'cancelled')) {
        throw new Violation('T8', `${id} ended by ${end}, is ${state}, completed by ${winners.get(id) ?? 'nobody'}`)
      }
      if (end === 'TaskFailed') this.#seen.failed++
      if (end === 'TaskCancelled') this.#seen.cancelled++
    }
  }
}
