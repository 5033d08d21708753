import type { Data, ZnodeClient } from '../client/api.ts'
import { checkOptions } from '../client/arguments.ts'
import { Barrier, DoubleBarrier } from '../recipes/barrier.ts'
import { Cache } from '../recipes/cache.ts'
import { Cell } from '../recipes/cell.ts'
import { Counter, IdGenerator } from '../recipes/counter.ts'
import { CountdownLatch } from '../recipes/latch.ts'
import { Leases } from '../recipes/lease.ts'
import { Locks } from '../recipes/locks.ts'
import { Group } from '../recipes/membership.ts'
import { Partition } from '../recipes/partition.ts'
import { PlainQueue } from '../recipes/plain-queue.ts'
import { keepPresent, type Presence } from '../recipes/presence.ts'
import { Semaphore } from '../recipes/semaphore.ts'
import { Services } from '../recipes/services.ts'
import type { World } from '../recipes/world.ts'
import { ZnodeFace } from './znode-face.ts'

/** The recipes of a keeper, by name: pages that give the same name share. Each object says in its own documentation what it promises. */
export abstract class RecipesFace extends ZnodeFace {
  readonly #world: World
  readonly locks: Locks
  readonly services: Services
  readonly leases: Leases

  constructor(client: ZnodeClient, world: World) {
    super(client)
    this.#world = world
    this.locks = new Locks(world)
    this.services = new Services(world)
    this.leases = new Leases(world)
  }

  /** At most `permits` (1 to 100 000, the same for all pages) at a time. */
  semaphore(name: string, permits: number): Semaphore {
    return new Semaphore(this.#world, name, permits)
  }

  membership(name: string): Group {
    return new Group(this.#world, name)
  }

  barrier(name: string): Barrier {
    return new Barrier(this.#world, name)
  }

  /** Begins when `members` have entered. */
  doubleBarrier(name: string, members: number): DoubleBarrier {
    return new DoubleBarrier(this.#world, name, members)
  }

  /** Opens when it was counted down `count` times. */
  latch(name: string, count: number): CountdownLatch {
    return new CountdownLatch(this.#world, name, count)
  }

  counter(name: string): Counter {
    return new Counter(this.#world, name)
  }

  /** Unique numbers, fetched in blocks of `block` (1 to 1 000 000, default 100). */
  ids(name: string, options: { readonly block?: number } = {}): IdGenerator {
    return new IdGenerator(this.#world, name, checkOptions(options).block ?? 100)
  }

  /** One value as JSON. */
  cell<T>(name: string): Cell<T> {
    return new Cell<T>(this.#world, name)
  }

  /** A copy of the subtree at `path`, kept until closed. */
  cache(path: string): Cache {
    return new Cache(this.#world, path)
  }

  /** Keeps an ephemeral node at `path`. */
  presence(path: string, data: Data = null, options: { readonly signal?: AbortSignal } = {}): Promise<Presence> {
    return keepPresent(this.#world, path, data, options)
  }

  /** Splits `items` among the pages that run it. All pages give the same items. */
  partition(name: string, items: readonly string[]): Partition {
    return new Partition(this.#world, name, items)
  }

  /** Bytes in, bytes out. For work with retries and results: `queue`. */
  plainQueue(name: string): PlainQueue {
    return new PlainQueue(this.#world, name)
  }
}
