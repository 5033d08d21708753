import { KeeperError } from '../../src/base/errors.ts'
import { Client } from '../../src/client/client.ts'
import type { Chance } from './chance.ts'
import { Violation } from './checkers.ts'
import { connectTo } from './client-pipe.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

interface Acked {
  readonly id: string
  readonly path: string
  readonly invoked: number
  readonly acked: number
}

/**
 * Real clients over real replicas, and what they may expect of them: an acknowledged create is there for ever and exactly once, in real-time
 * order; a read after sync shows everything acknowledged before; a session never reads backwards; a counter by compare-and-set counts every
 * success once; ephemerals live exactly as long as their session.
 */
export class Clients {
  readonly #world: World
  readonly #nodes: () => readonly Node[]
  readonly #chance: Chance
  readonly #latency: () => number
  readonly #running: Promise<void>[] = []
  readonly #acked: Acked[] = []
  readonly #maybe = new Set<string>()
  readonly #ephemerals = new Map<string, Client>()
  readonly #live = new Set<Client>()
  #counted = 0
  #uncertain = 0
  #next = 0
  #stopped = false
  violation: Violation | null = null
  readonly done = { create: 0, count: 0, read: 0, sync: 0, ephemeral: 0, lost: 0, sessions: 0 }

  constructor(world: World, nodes: () => readonly Node[], latency: () => number) {
    this.#world = world
    this.#nodes = nodes
    this.#latency = latency
    this.#chance = world.chance('clients')
  }

  start(count: number): void {
    for (let i = 0; i < count; i++) this.#running.push(this.#life(i))
  }

  /** No new operations; every promise still has to end. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  get idle(): boolean {
    return this.#ended === this.#running.length
  }

  #ended = 0

  /** Milliseconds; the ensemble may be slow. */
  #connect(sessionTimeout = 6000): Client {
    this.done.sessions++
    const client = Client.connect(
      () => {
        const there = this.#nodes().filter((node) => node.alive)
        if (there.length === 0) return Promise.reject(new Error('nobody there'))
        return connectTo(this.#world, this.#chance.pick(there), this.#latency)
      },
      {
        clock: { now: () => this.#world.now, after: (ms, then) => this.#after(ms, then) },
        random: () => this.#chance.real(),
        sessionTimeout,
      },
    )
    this.#live.add(client)
    return client
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
      const client = this.#connect()
      await this.#session(client, number)
      this.#live.delete(client)
      if (client.state !== 'lost') await client.close().catch(() => undefined)
    }
    this.#ended++
  }

  async #session(client: Client, number: number): Promise<void> {
    let seen = 0
    const rounds = this.#chance.int(5, 60)
    for (let i = 0; i < rounds && !this.#stopped && client.state !== 'lost'; i++) {
      await this.#pause(this.#chance.pick([5, 50, 300]))
      if (this.#stopped) return
      try {
        await this.#operation(client, number)
      } catch (error) {
        if (error instanceof Violation) {
          this.violation ??= error
          return
        }
        if (!(error instanceof KeeperError)) throw error
        this.done.lost++
        if (error.code === 'SessionExpired' || error.code === 'Closed') return
        if (!['ConnectionLoss', 'SessionMoved', 'NodeExists', 'NoNode', 'BadVersion'].includes(error.code)) throw error
      }
      if (client.lastZxid < seen)
        this.violation ??= new Violation('C2', `a session went back from ${seen} to ${client.lastZxid}`)
      seen = client.lastZxid
    }
  }

  async #operation(client: Client, number: number): Promise<void> {
    const kind = this.#chance.pick(['create', 'create', 'create', 'count', 'read', 'sync', 'ephemeral'] as const)
    const invoked = this.#world.now
    if (kind === 'create') {
      const id = `${number}-${++this.#next}`
      this.#maybe.add(id)
      const { path } = await client.create('/log-', id, { mode: 'persistentSequential' })
      this.#acked.push({ id, path, invoked, acked: this.#world.now })
      this.#maybe.delete(id)
    } else if (kind === 'count') {
      const { stat } = await this.#counter(client)
      this.#uncertain++
      try {
        await client.setData('/counter', String(stat.version + 1), { version: stat.version })
        this.#counted++
        this.#uncertain--
      } catch (error) {
        if (error instanceof KeeperError && error.code === 'BadVersion') this.#uncertain--
        throw error
      }
    } else if (kind === 'ephemeral') {
      const path = `/e-${number}-${++this.#next}`
      this.#ephemerals.set(path, client)
      await client.create(path, null, { mode: 'ephemeral' })
    } else {
      const before = new Set(this.#acked.map((one) => one.path))
      if (kind === 'sync') await client.sync('/')
      const { children } = await client.getChildren('/')
      if (kind === 'sync') {
        const there = new Set(children.map((name) => `/${name}`))
        for (const path of before)
          if (!there.has(path)) throw new Violation('C4', `${path} was acknowledged, and a read after sync lacks it`)
      }
    }
    this.done[kind]++
  }

  async #counter(client: Client): Promise<{ readonly stat: { readonly version: number } }> {
    try {
      return await client.getData('/counter')
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error
      await client.create('/counter', '0')
      return client.getData('/counter')
    }
  }

  /** At the end, on a healed ensemble, with a client of its own. */
  async check(): Promise<void> {
    if (this.violation !== null) throw this.violation
    // Sessions whose close was lost are expired by now.
    await new Promise<void>((resolve) => this.#world.after(20_000, null, resolve))
    const client = this.#connect(60_000)
    await client.sync('/')
    const { children } = await client.getChildren('/')
    const there = new Map<string, string>()
    for (const name of children.filter((one) => one.startsWith('log-'))) {
      const { data } = await client.getData(`/${name}`)
      const id = new TextDecoder().decode(data ?? new Uint8Array())
      if (there.has(id)) throw new Violation('C0', `${id} was created twice`)
      there.set(id, `/${name}`)
    }
    for (const one of this.#acked) {
      if (there.get(one.id) !== one.path)
        throw new Violation('C1', `${one.path} (${one.id}) was acknowledged and is ${there.get(one.id)}`)
      there.delete(one.id)
    }
    for (const id of there.keys())
      if (!this.#maybe.has(id)) throw new Violation('C1', `${id} is there, and nobody asked`)
    // Real-time order: whoever asked after another's answer comes behind it.
    let latest = ''
    const byInvocation = [...this.#acked].sort((a, b) => a.invoked - b.invoked)
    const byAnswer = [...this.#acked].sort((a, b) => a.acked - b.acked)
    let at = 0
    for (const one of byInvocation) {
      while (at < byAnswer.length && (byAnswer[at] as Acked).acked < one.invoked) {
        const { path } = byAnswer[at] as Acked
        if (path > latest) latest = path
        at++
      }
      if (one.path < latest) throw new Violation('C1', `${one.path} was asked for after ${latest} was acknowledged`)
    }
    const counter = await client.exists('/counter')
    const version = counter?.version ?? 0
    if (version < this.#counted || version > this.#counted + this.#uncertain) {
      throw new Violation(
        'C1',
        `the counter says ${version}, ${this.#counted} increments succeeded and ${this.#uncertain} are unknown`,
      )
    }
    for (const name of children.filter((one) => one.startsWith('e-'))) {
      const owner = this.#ephemerals.get(`/${name}`)
      if (owner !== undefined && !this.#live.has(owner)) throw new Violation('C6', `/${name} outlived its session`)
    }
    await client.close()
  }
}
