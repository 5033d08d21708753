import { KeeperError } from '../../src/base/errors.ts'
import { Client } from '../../src/client/client.ts'
import type { FramePipe } from '../../src/client/frame-pipe.ts'
import type { Chance } from './chance.ts'
import { connectTo } from './client-pipe.ts'
import { highestEpoch } from './finish.ts'
import { judge } from './history/check.ts'
import type { Journal } from './history/journal.ts'
import { Recorder } from './history/recorder.ts'
import type { Node } from './node.ts'
import { rareDays } from './rare.ts'
import { type Truth, Witness } from './truth.ts'
import { Violation } from './violation.ts'
import { Workload } from './workload.ts'
import type { World } from './world.ts'

/** What an operation may end with while the ensemble has a bad day. */
const EXPECTED = [
  'ConnectionLoss',
  'SessionMoved',
  'NodeExists',
  'NoNode',
  'BadVersion',
  'NotEmpty',
  'NoChildrenForEphemerals',
  'NoWatcher',
] as const

/** One client, its recorder, and its way to the ensemble. */
interface Guest {
  readonly client: Client
  /** The network between it and its replica fails. */
  drop(): void
  /** Nothing gets through from here on. */
  readonly away: { now: boolean }
}

/** Real clients over real replicas. All that they say and hear is recorded; at the end the history must be one that ZooKeeper allows. */
export class Clients {
  readonly #world: World
  readonly #nodes: () => readonly Node[]
  readonly #chance: Chance
  readonly #latency: () => number
  readonly #journal: Journal
  readonly #timeouts: readonly number[]
  readonly #workload: Workload
  readonly #recorders: Recorder[] = []
  readonly #truth: Truth
  /** In half of the lives clients ask for nothing beyond ZooKeeper's protocol. */
  readonly #plain: boolean
  readonly #running: Promise<void>[] = []
  readonly #live = new Set<Client>()
  #stopped = false
  #settledSince = 0
  violation: Violation | null = null
  readonly #seen = {
    lost: 0,
    sessions: 0,
    moved: 0,
    abandoned: 0,
    recorded: 0,
    witness: 0,
    again: 0,
    ...rareDays([], []),
  }

  /** `timeouts` of sessions, milliseconds: a slow ensemble never answers an impatient client. */
  constructor(
    world: World,
    nodes: () => readonly Node[],
    latency: () => number,
    journal: Journal,
    timeouts: readonly number[],
    truth: Truth,
  ) {
    this.#truth = truth
    this.#plain = world.chance('plain').is(0.5)
    this.#timeouts = timeouts
    this.#world = world
    this.#nodes = nodes
    this.#latency = latency
    this.#journal = journal
    this.#chance = world.chance('clients')
    this.#workload = new Workload(world, this.#chance)
  }

  get done(): Readonly<Record<string, number>> {
    return { ...this.#workload.done, ...this.#seen }
  }

  /** Nothing to say about who is late. */
  readonly late = ''

  start(count: number): void {
    for (let i = 0; i < count; i++) this.#running.push(this.#life(i))
  }

  /** No new operations; every promise still has to end. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#settledSince = this.#world.now
    await Promise.all(this.#running)
  }

  /** Milliseconds; the ensemble may be slow. */
  #connect(sessionTimeout: number): Guest {
    this.#seen.sessions++
    const recorder = new Recorder(`client ${this.#seen.sessions}`, this.#journal.stamp)
    this.#recorders.push(recorder)
    const away = { now: false }
    let present: FramePipe | null = null
    const client = Client.connect(
      async () => {
        const there = this.#nodes().filter((node) => node.alive)
        if (there.length === 0 || away.now) throw new Error('nobody there')
        present = recorder.record(await connectTo(this.#world, this.#chance.pick(there), this.#latency))
        return present
      },
      {
        clock: { now: () => this.#world.now, after: (ms, then) => this.#after(ms, then) },
        random: () => this.#chance.real(),
        sessionTimeout,
        plain: this.#plain,
      },
    )
    const drop = (): void => {
      const pipe = present
      present = null
      const heard = pipe?.onclose
      pipe?.close()
      heard?.('the network failed')
    }
    return { client, drop, away }
  }

  #after(ms: number, then: () => void): () => void {
    let on = true
    this.#world.after(ms, null, () => {
      if (on) then()
    })
    return () => {
      on = false
    }
  }

  #pause(mean: number): Promise<void> {
    return new Promise((resolve) => this.#world.after(1 + this.#chance.exp(mean), null, resolve))
  }

  async #life(number: number): Promise<void> {
    while (!this.#stopped) {
      const guest = this.#connect(this.#chance.pick(this.#timeouts))
      const { client } = guest
      this.#live.add(client)
      await this.#session(guest, number)
      this.#live.delete(client)
      if (client.state === 'lost') continue
      if (this.#chance.is(0.25)) this.#abandon(guest)
      else await client.close().catch(() => undefined)
    }
  }

  /** It goes without a word: its session is to end by itself. */
  #abandon({ client, drop, away }: Guest): void {
    this.#seen.abandoned++
    away.now = true
    drop()
    void client.close().catch(() => undefined)
  }

  async #session(guest: Guest, number: number): Promise<void> {
    const { client } = guest
    let seen = 0
    const rounds = this.#chance.int(5, 60)
    let witness: Witness | null = null
    for (let i = 0; i < rounds && !this.#stopped && client.state !== 'lost'; i++) {
      await this.#pause(this.#chance.pick([5, 50, 300]))
      if (this.#stopped) return
      if (this.#chance.is(0.05)) await this.#move(guest)
      try {
        witness ??= await this.#witness(client)
        await this.#workload.operation(client, number)
        if (witness !== null) await this.#check(client, witness)
      } catch (error) {
        if (error instanceof Violation) {
          this.violation ??= error
          return
        }
        if (!(error instanceof KeeperError)) throw error
        this.#seen.lost++
        if (!this.#plain && error.code === 'ConnectionLoss' && error.outcome === 'unknown') {
          this.violation ??= new Violation('C7', `a numbered write is in doubt: ${error.message}`)
        }
        if (error.code === 'SessionExpired' || error.code === 'Closed') return
        if (!EXPECTED.some((code) => code === error.code)) throw error
      }
      if (client.lastZxid < seen)
        this.violation ??= new Violation('C2', `a session went back from ${seen} to ${client.lastZxid}`)
      seen = client.lastZxid
    }
  }

  /** To another replica, sometimes after a while that its session hardly survives. */
  async #move({ client, drop, away }: Guest): Promise<void> {
    this.#seen.moved++
    if (this.#chance.is(0.7)) return drop()
    away.now = true
    drop()
    await this.#pause(this.#chance.pick([100, 0.7 * client.sessionTimeout, client.sessionTimeout]))
    away.now = false
  }

  /** Some sessions watch everything; without the additions they would miss some of it. */
  async #witness(client: Client): Promise<Witness | null> {
    if (this.#plain || !this.#chance.is(0.2)) return null
    const notices = await client.watch('/', { recursive: true })
    this.#seen.witness++
    return new Witness(notices, client.lastZxid)
  }

  async #check(client: Client, witness: Witness): Promise<void> {
    const { lastZxid } = client
    await this.#pause(1)
    witness.check(this.#truth, lastZxid)
  }

  /** Sessions whose close was lost are over then. A new leader gives each of them its whole time again, as ZooKeeper's do. */
  async #untilExpired(): Promise<void> {
    for (let epoch = -1; epoch !== highestEpoch(this.#nodes()); ) {
      epoch = highestEpoch(this.#nodes())
      await new Promise<void>((resolve) => this.#world.after(20_000, null, resolve))
    }
  }

  /** At the end, on a healed ensemble. */
  async check(): Promise<void> {
    if (this.violation !== null) throw this.violation
    this.#seen.again = this.#truth.again
    await this.#untilExpired()
    const { client } = this.#connect(60_000)
    await this.#workload.check(client, this.#live)
    await client.close()
    const history = {
      log: this.#journal.log,
      states: this.#journal.states,
      sessions: this.#recorders,
      settledSince: this.#settledSince,
      endedMs: this.#world.now,
    }
    this.#seen.recorded = this.#recorders.reduce((sum, { events }) => sum + events.length, 0)
    Object.assign(this.#seen, rareDays(history.log, history.sessions))
    const rejection = judge(history)[0]
    if (rejection !== undefined) throw new Violation(`H${rejection.step}`, rejection.why)
  }
}
