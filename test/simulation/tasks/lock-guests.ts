import { KeeperError } from '../../../src/base/errors.ts'
import type { Op } from '../../../src/client/api.ts'
import { Counter } from '../../../src/recipes/counter.ts'
import { sleep } from '../../../src/recipes/deadline.ts'
import { Election } from '../../../src/recipes/election.ts'
import type { FencingToken } from '../../../src/recipes/hold.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { ensureNode } from '../../../src/recipes/parents.ts'
import { Semaphore } from '../../../src/recipes/semaphore.ts'
import type { Chance } from '../chance.ts'
import type { Journal } from '../history/journal.ts'
import type { Node } from '../node.ts'
import { Violation } from '../violation.ts'
import type { World } from '../world.ts'
import { type Guest, openGuest } from './guest.ts'
import { ACTS, auditLocks, SEMAPHORE, VOTES, writeAct } from './lock-audit.ts'

/** What a request may end with on a bad day, a time that is up, or a place that was stolen or revoked. */
const EXPECTED = ['SessionExpired', 'Closed', 'NoNode', 'ConnectionLoss', 'Timeout', 'Aborted'] as const
const isExpected = (error: unknown): boolean =>
  error instanceof KeeperError
    ? EXPECTED.some((code) => code === error.code)
    : error instanceof DOMException && error.name === 'AbortError'

/** What one holds, whatever gave it. */
interface Held {
  readonly token: FencingToken
  readonly signal: AbortSignal
  guard(): Op
}

const NAMES = ['a', 'b'] as const

/** Pages that ask for locks, permits and leadership, and write while they hold: some stop when they are told that it is over, and some do not. */
export class LockGuests {
  readonly #world: World
  readonly #nodes: () => readonly Node[]
  readonly #latency: () => number
  readonly #journal: Journal
  readonly #chance: Chance
  readonly #timeouts: readonly number[]
  /** A page, and what it still does. */
  readonly #pages = new Map<Guest, Promise<unknown>>()
  #healed = false
  #votes = 0
  #perhaps = 0
  violation: Violation | null = null
  readonly #seen = { held: 0, acts: 0, refused: 0, stolen: 0, revoked: 0 }

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
    this.#chance = world.chance('locks')
  }

  get done(): Readonly<Record<string, number>> {
    const { held, acts, refused, stolen, revoked } = this.#seen
    return { held, acts, 'acts-refused': refused, stolen, revoked, votes: this.#votes }
  }

  start(pages: number): void {
    for (let i = 0; i < pages + 1; i++) this.#enter()
    this.#misfortune()
  }

  #broken(error: unknown): void {
    if (isExpected(error)) return
    this.violation ??=
      error instanceof Violation ? error : new Violation('T9', String((error as Error)?.stack ?? error))
  }

  /** A page that asks until its session is over; then another one. Two requests of one session may stand in one line. */
  #enter(): void {
    if (this.#healed) return
    const page = openGuest(this.#world, this.#chance, this.#nodes, this.#latency, this.#chance.pick(this.#timeouts))
    const life = Promise.all([this.#ask(page), this.#ask(page)]).catch((error: unknown) => this.#broken(error))
    this.#pages.set(page, life)
    void life.then(() => {
      if (!this.#pages.delete(page)) return
      page.client.close().catch(() => undefined)
      this.#world.after(this.#chance.int(10, 500), null, () => this.#enter())
    })
  }

  async #ask(page: Guest): Promise<void> {
    const { client, clock } = page
    for (const name of [...NAMES, 'boss', SEMAPHORE.name]) await ensureNode(client, `${ACTS}/${name}`)
    while (!this.#healed && client.state !== 'lost') {
      await sleep(clock, this.#chance.exp(150))
      // Replies get lost where requests are.
      if (this.#chance.is(0.15)) this.#world.after(this.#chance.exp(2 * this.#latency()), null, () => page.drop())
      try {
        await this.#request(page)
      } catch (error) {
        this.#broken(error)
      }
    }
  }

  async #request(page: Guest): Promise<void> {
    const is = (p: number): boolean => this.#chance.is(p)
    const locks = new Locks(page)
    const name = this.#chance.pick(NAMES)
    const lossPolicy = this.#chance.pick(['suspended', 'lost'] as const)
    const limits = { lossPolicy, ...(is(0.3) ? { timeout: this.#chance.int(0, 2000) } : {}) }
    const kind = this.#chance.int(0, 9)
    if (kind === 0) {
      this.#perhaps++
      await new Counter(page, VOTES).add(1)
      this.#votes++
    } else if (kind === 1) {
      this.#seen.revoked++
      await locks.revoke(name, { grace: this.#chance.pick([0, 100]) })
    } else if (kind === 2) {
      this.#seen.stolen++
      await locks.request(name, { steal: true, ...limits }, (hold) => this.#acts(page, name, false, hold))
    } else if (kind === 3) {
      const { permits } = SEMAPHORE
      const most = this.#chance.pick([1, 1, permits])
      await using hold = await new Semaphore(page, SEMAPHORE.name, permits).acquire({ ...limits, permits: most })
      await this.#acts(page, SEMAPHORE.name, true, hold)
    } else if (kind === 4) {
      await new Election(page, 'boss', 'me').lead((term) => this.#acts(page, 'boss', false, term), { lossPolicy })
    } else if (kind === 5) {
      await using all = await locks.acquireAll(NAMES, limits)
      for (const hold of all.holds) await this.#acts(page, hold.name, false, hold)
    } else {
      const mode = this.#chance.pick(['exclusive', 'shared'] as const)
      await using hold = await locks.acquire(name, { mode, ...limits })
      await this.#acts(page, name, mode === 'shared', hold)
    }
  }

  async #acts(page: Guest, what: string, shared: boolean, { token, signal, guard }: Held): Promise<void> {
    this.#seen.held++
    const deaf = this.#chance.is(0.5)
    const data = writeAct({ path: token.path, shared, fence: token.zxid })
    for (let i = this.#chance.int(1, 4); i > 0 && (deaf || !signal.aborted); i--) {
      try {
        await page.client.multi([guard(), { op: 'setData', path: `${ACTS}/${what}`, data }])
        this.#seen.acts++
      } catch (error) {
        if (!isExpected(error)) throw error
        this.#seen.refused++
        if (page.client.state === 'lost') return
      }
      await sleep(page.clock, this.#chance.exp(60))
    }
  }

  #misfortune(): void {
    if (this.#healed) return
    const page = this.#pages.size > 0 ? this.#chance.pick([...this.#pages.keys()]) : null
    const luck = this.#chance.real()
    if (page !== null && luck < 0.35) {
      page.freeze()
      this.#world.after(this.#chance.exp(4000), null, () => page.thaw())
    } else if (page !== null && luck < 0.5) {
      this.#pages.delete(page)
      page.crash()
      this.#world.after(this.#chance.int(10, 500), null, () => this.#enter())
    } else page?.drop()
    this.#world.after(this.#chance.exp(1500), null, () => this.#misfortune())
  }

  /** Nothing more goes wrong, and nobody asks for more: a learner that comes by slow links to a leader with a short memory needs a pause. */
  calm(): void {
    this.#healed = true
    for (const page of this.#pages.keys()) page.thaw()
  }

  /** Every waiter has to end. */
  async stop(): Promise<void> {
    await Promise.all(this.#pages.values())
  }

  /** How many pages still wait. */
  get late(): string {
    return this.#pages.size > 0 ? `(${this.#pages.size} pages wait for locks)` : ''
  }

  async check(): Promise<void> {
    if (this.violation !== null) throw this.violation
    const { votes } = auditLocks(this.#journal.log)
    if (votes < this.#votes || votes > this.#perhaps) {
      throw new Violation('T14', `${votes} votes are counted; ${this.#votes} to ${this.#perhaps} were given`)
    }
  }
}
