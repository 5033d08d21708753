import type { Data } from '../../src/client/api.ts'
import { Barrier, DoubleBarrier } from '../../src/recipes/barrier.ts'
import { Cache } from '../../src/recipes/cache.ts'
import { Cell } from '../../src/recipes/cell.ts'
import { Counter, IdGenerator } from '../../src/recipes/counter.ts'
import { Election } from '../../src/recipes/election.ts'
import { CountdownLatch } from '../../src/recipes/latch.ts'
import { Leases } from '../../src/recipes/lease.ts'
import { Locks } from '../../src/recipes/locks.ts'
import { Group } from '../../src/recipes/membership.ts'
import { Partition } from '../../src/recipes/partition.ts'
import { PlainQueue } from '../../src/recipes/plain-queue.ts'
import { keepPresent } from '../../src/recipes/presence.ts'
import { Semaphore } from '../../src/recipes/semaphore.ts'
import { Services } from '../../src/recipes/services.ts'
import type { World } from '../../src/recipes/world.ts'

type Release = () => Promise<unknown>

/** The least that a contract needs of each recipe, so that a naive one can be put in its place. */
export interface Recipes {
  lock(page: World, name: string): Promise<{ readonly session: bigint; readonly release: Release }>
  permit(page: World, name: string, permits: number): Promise<Release>
  /** Asked at any time: does this page lead? */
  lead(page: World, name: string): Promise<() => boolean>
  closeBarrier(page: World, name: string): Promise<void>
  openBarrier(page: World, name: string): Promise<void>
  passBarrier(page: World, name: string): Promise<void>
  meet(page: World, name: string, members: number): Promise<unknown>
  countDown(page: World, name: string, count: number): Promise<unknown>
  remaining(page: World, name: string, count: number): Promise<number>
  add(page: World, name: string, delta: number): Promise<unknown>
  sum(page: World, name: string): Promise<number>
  id(page: World, name: string): Promise<number>
  append(page: World, name: string, word: string): Promise<unknown>
  words(page: World, name: string): Promise<readonly string[]>
  join(page: World, name: string, id: string): Promise<unknown>
  members(page: World, name: string): Promise<readonly string[]>
  present(page: World, path: string, data: Data): Promise<unknown>
  offer(page: World, service: string, id: string, payload: string): Promise<unknown>
  copy(page: World, path: string): Promise<(path: string) => Uint8Array | null | undefined>
  put(page: World, name: string, data: string): Promise<void>
  size(page: World, name: string): Promise<number>
  process(page: World, name: string, work: (data: Uint8Array | null) => Promise<unknown>): Promise<unknown>
  /** Is it ours for `ms`? */
  lease(page: World, name: string, ms: number): Promise<boolean>
  /** `begins` and `ends` are told of each item. */
  split(
    page: World,
    name: string,
    items: readonly string[],
    told: { begins(item: string): void; ends(item: string): void },
    signal: AbortSignal,
  ): Promise<void>
}

export const OURS: Recipes = {
  lock: async (page, name) => {
    const hold = await new Locks(page).acquire(name, { lossPolicy: 'lost' })
    const owner = (await page.client.exists(hold.token.path))?.ephemeralOwner
    return { session: owner ?? 0n, release: () => hold.release() }
  },
  permit: async (page, name, permits) => {
    const hold = await new Semaphore(page, name, permits).acquire({ lossPolicy: 'lost' })
    return () => hold.release()
  },
  lead: (page, name) =>
    new Promise((resolve, reject) => {
      const lead = async ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
        resolve(() => !signal.aborted)
        await new Promise<void>((end) => signal.addEventListener('abort', () => end(), { once: true }))
      }
      new Election(page, name, 'id').lead(lead).catch(reject)
    }),
  closeBarrier: (page, name) => new Barrier(page, name).close(),
  openBarrier: (page, name) => new Barrier(page, name).open(),
  passBarrier: (page, name) => new Barrier(page, name).wait(),
  meet: (page, name, members) => new DoubleBarrier(page, name, members).enter(),
  countDown: (page, name, count) => new CountdownLatch(page, name, count).countDown(),
  remaining: (page, name, count) => new CountdownLatch(page, name, count).remaining(),
  add: (page, name, delta) => new Counter(page, name).add(delta),
  sum: (page, name) => new Counter(page, name).get(),
  id: (page, name) => new IdGenerator(page, name, 1).next(),
  append: (page, name, word) => new Cell<string[]>(page, name).update((words = []) => [...words, word]),
  words: async (page, name) => (await new Cell<string[]>(page, name).get())?.value ?? [],
  join: (page, name, id) => new Group(page, name).join(null, { id }),
  members: async (page, name) => (await new Group(page, name).members()).map(({ id }) => id),
  present: (page, path, data) => keepPresent(page, path, data),
  offer: (page, service, id, payload) => new Services(page).offer(service, payload, { id }),
  copy: async (page, path) => {
    const cache = await new Cache(page, path).ready()
    return (at) => cache.nodes.get(at)?.data
  },
  put: (page, name, data) => new PlainQueue(page, name).put(data),
  size: (page, name) => new PlainQueue(page, name).size(),
  process: (page, name, work) => new PlainQueue(page, name).process(({ data }) => work(data)),
  lease: async (page, name, ms) => (await new Leases(page).obtain(name, ms)) !== null,
  split: (page, name, items, told, signal) =>
    new Partition(page, name, items).run(
      async (share) => {
        told.begins(share.item)
        await new Promise<void>((end) => share.signal.addEventListener('abort', () => end(), { once: true }))
        told.ends(share.item)
      },
      { signal },
    ),
}
