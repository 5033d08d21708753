import { KeeperError } from '../../src/base/errors.ts'
import type { CreateMode, Op } from '../../src/client/api.ts'
import type { Client } from '../../src/client/client.ts'
import type { Chance } from './chance.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

interface Acked {
  readonly id: string
  readonly path: string
  readonly invoked: number
  readonly acked: number
}

const KINDS = ['create', 'create', 'count', 'list', 'sync', 'ephemeral', 'node', 'node', 'node', 'node'] as const
const LOOKS = ['look', 'look', 'look', 'watch', 'unwatch', 'burst', 'burst', 'multi', 'multi', 'many'] as const
const MODES: readonly CreateMode[] = [
  'persistent',
  'persistent',
  'ephemeral',
  'persistentSequential',
  'ephemeralSequential',
]

/** Few paths, so that clients meet. */
const TOPS = ['/a', '/b', '/c'] as const

/** What clients of a life do, and what they may expect without knowing any log. */
export class Workload {
  readonly #world: World
  readonly #chance: Chance
  readonly #acked: Acked[] = []
  readonly #maybe = new Set<string>()
  readonly #ephemerals = new Map<string, Client>()
  #counted = 0
  #uncertain = 0
  #next = 0
  readonly done = {
    create: 0,
    count: 0,
    list: 0,
    sync: 0,
    ephemeral: 0,
    node: 0,
    look: 0,
    watch: 0,
    unwatch: 0,
    burst: 0,
    multi: 0,
    many: 0,
    event: 0,
  }

  constructor(world: World, chance: Chance) {
    this.#world = world
    this.#chance = chance
  }

  /** One operation, or a few at once. Rejects with what the client says, or with Violation. */
  async operation(client: Client, number: number): Promise<void> {
    const kind = this.#chance.is(0.5) ? this.#chance.pick(KINDS) : this.#chance.pick(LOOKS)
    await this.#do(kind, client, number)
    this.done[kind]++
  }

  #do(kind: (typeof KINDS)[number] | (typeof LOOKS)[number], client: Client, number: number): Promise<unknown> {
    switch (kind) {
      case 'create':
        return this.#create(client, number)
      case 'count':
        return this.#count(client)
      case 'list':
        return client.getChildren('/')
      case 'sync':
        return this.#syncedList(client)
      case 'ephemeral': {
        const path = `/e-${number}-${++this.#next}`
        this.#ephemerals.set(path, client)
        return client.create(path, null, { mode: 'ephemeral' })
      }
      case 'node':
        return this.#change(client)
      case 'look':
        return this.#look(client)
      case 'watch':
        return client.addWatch(this.#path(), this.#heard, {
          mode: this.#chance.pick(['persistent', 'persistentRecursive']),
        })
      case 'unwatch':
        return client.removeWatches(this.#path(), { type: this.#chance.pick(['any', 'data', 'children']) })
      case 'burst':
        return this.#burst(client)
      case 'multi':
        return client.multi(Array.from({ length: this.#chance.int(1, 4) }, () => this.#op()))
      case 'many':
        return this.#chance.is(0.5)
          ? client.multiRead([
              { op: 'getData', path: this.#path() },
              { op: 'getChildren', path: this.#path() },
            ])
          : this.#chance.is(0.5)
            ? client.getEphemerals('/')
            : client.getAllChildrenNumber('/')
    }
  }

  readonly #heard = (): void => {
    this.done.event++
  }

  #path(): string {
    const top = this.#chance.pick(TOPS)
    return this.#chance.is(0.5) ? top : `${top}/${this.#chance.int(0, 2)}`
  }

  #version(): number {
    return this.#chance.pick([-1, -1, 0, 1, 2])
  }

  #change(client: Client): Promise<unknown> {
    const op = this.#op()
    if (op.op === 'create') return client.create(op.path, op.data, { mode: op.mode ?? 'persistent' })
    if (op.op === 'setData') return client.setData(op.path, op.data, { version: op.version ?? -1 })
    return client.delete(op.path, { version: op.version ?? -1 })
  }

  #op(): Op {
    const path = this.#path()
    const kind = this.#chance.pick(['create', 'create', 'setData', 'setData', 'delete', 'check'] as const)
    if (kind === 'create') return { op: kind, path, data: `${++this.#next}`, mode: this.#chance.pick(MODES) }
    if (kind === 'setData') return { op: kind, path, data: `${++this.#next}`, version: this.#version() }
    return { op: kind, path, version: this.#version() }
  }

  #look(client: Client): Promise<unknown> {
    const kind = this.#chance.pick(['exists', 'getData', 'getChildren'] as const)
    const options = this.#chance.is(0.7) ? { watch: () => this.#heard() } : {}
    return client[kind](this.#path(), options)
  }

  /** Several on their way at once; each may fail for itself. */
  async #burst(client: Client): Promise<void> {
    const all = Array.from({ length: this.#chance.int(2, 6) }, () =>
      this.#chance.pick([
        () => this.#change(client),
        () => this.#look(client),
        () => this.#look(client),
        () => client.sync('/'),
      ])(),
    )
    const failed = (await Promise.allSettled(all)).find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #create(client: Client, number: number): Promise<void> {
    const invoked = this.#world.now
    const id = `${number}-${++this.#next}`
    this.#maybe.add(id)
    const { path } = await client.create('/log-', id, { mode: 'persistentSequential' })
    this.#acked.push({ id, path, invoked, acked: this.#world.now })
    this.#maybe.delete(id)
  }

  async #count(client: Client): Promise<void> {
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

  async #syncedList(client: Client): Promise<void> {
    const before = new Set(this.#acked.map((one) => one.path))
    await client.sync('/')
    const { children } = await client.getChildren('/')
    const there = new Set(children.map((name) => `/${name}`))
    for (const path of before)
      if (!there.has(path)) throw new Violation('C4', `${path} was acknowledged, and a read after sync lacks it`)
  }

  /** At the end, on a healed ensemble, with a client of its own. `live`: clients whose sessions may still be there. */
  async check(client: Client, live: ReadonlySet<Client>): Promise<void> {
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
    this.#inRealTime()
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
      if (owner !== undefined && !live.has(owner)) throw new Violation('C6', `/${name} outlived its session`)
    }
  }

  /** Whoever asked after another's answer comes behind it. */
  #inRealTime(): void {
    let latest = ''
    const byInvocation = [...this.#acked].sort((a, b) => a.invoked - b.invoked)
    const byAnswer = [...this.#acked].sort((a, b) => a.acked - b.acked)
    let at = 0
    for (const one of byInvocation) {
      for (let done = byAnswer[at]; done !== undefined && done.acked < one.invoked; done = byAnswer[++at])
        if (done.path > latest) latest = done.path
      if (one.path < latest) throw new Violation('C1', `${one.path} was asked for after ${latest} was acknowledged`)
    }
  }
}
