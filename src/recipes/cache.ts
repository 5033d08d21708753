import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { CallOptions, Stat, WatchNotice } from '../client/api.ts'
import { refuse } from '../client/arguments.ts'
import { checkCallback, checkWait } from './arguments.ts'
import { type WaitOptions, waitSignal } from './deadline.ts'
import { Doorbell } from './doorbell.ts'
import { EventBuffer } from './event-buffer.ts'
import { dataOrNull } from './node-change.ts'
import { childrenOf } from './place.ts'
import { aborted, untilAnswered } from './retry.ts'
import { unlessAborted } from './turns.ts'
import type { World } from './world.ts'

export interface CachedNode {
  readonly path: string
  readonly data: Uint8Array | null
  readonly stat: Stat
}

/**
 * `stale`: the connection is lost now. Then `ready`, with all that happened meanwhile before it, or `resync`: what happened meanwhile (or before a
 * reader that is too slow) shows only in the nodes.
 */
export type CacheEvent =
  | { readonly type: 'put'; readonly node: CachedNode; readonly previous: CachedNode | null }
  | { readonly type: 'delete'; readonly previous: CachedNode }
  | { readonly type: 'ready' | 'stale' | 'resync' }

/**
 * A copy of a subtree, kept by one recursive watch. Puts come in the order of zxids, but several changes of one node in a row may show as
 * one: a cache has states, not histories. Reads never wait. Curator: CuratorCache.
 */
export class Cache implements AsyncDisposable {
  readonly path: string
  readonly #world: World
  readonly #nodes = new Map<string, CachedNode>()
  readonly #dirty = new Set<string>()
  readonly #bell = new Doorbell()
  readonly #stop = new AbortController()
  readonly #readers = new Set<EventBuffer<CacheEvent>>()
  readonly #running: Promise<void>
  readonly #becomesReady: Promise<void>
  #failure: unknown = null
  #whole = false
  #stale = false
  /** Lost and not back yet; back, and to be read anew; back, with all that was missed. */
  #lost = false
  #resync = false
  #resumed = false
  #zxid = 0 as Zxid

  constructor(world: World, path: string) {
    this.#world = world
    this.path = path
    let ready: () => void = () => {}
    let failed: (error: unknown) => void = () => {}
    this.#becomesReady = new Promise((resolve, reject) => {
      ready = resolve
      failed = reject
    })
    this.#becomesReady.catch(() => undefined)
    const closed = new KeeperError('Closed', `the cache of ${path} is closed`, { path })
    this.#running = this.#run(ready).then(
      () => failed(closed),
      (error: unknown) => {
        if (this.#stop.signal.aborted) return failed(closed)
        this.#failure = error
        failed(error)
        for (const reader of this.#readers) reader.end(error)
      },
    )
  }

  /** By path. */
  get nodes(): ReadonlyMap<string, CachedNode> {
    return this.#nodes
  }

  /** The newest change that was read into it. */
  get zxid(): Zxid {
    return this.#zxid
  }

  /** The connection is lost, or the copy is being made anew after that. */
  get stale(): boolean {
    return this.#stale
  }

  /** Resolves when everything was read once. Rejects with what ended the cache (Closed by `close`), Timeout or Aborted. */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = waitSignal(this.#world.clock, options)
    await unlessAborted(this.#becomesReady, wait.signal)
    return this
  }

  /**
   * First a `put` for every node that is there, and `ready` (once it is); then every change. A reader that is more than `buffer` events behind gets
   * one `resync` in their place. Ends by `break`, `signal`, `close`; throws with the session.
   */
  events(options: { readonly signal?: AbortSignal; readonly buffer?: number } = {}): AsyncIterableIterator<CacheEvent> {
    const { signal, buffer = 4096 } = checkWait(options)
    if (!Number.isSafeInteger(buffer) || buffer < 1) throw refuse('buffer', 'must be a whole number, 1 or more')
    const now: CacheEvent[] = [...this.#nodes.values()].map((node) => ({ type: 'put', node, previous: null }))
    if (this.#whole) now.push({ type: 'ready' })
    const over = new AbortController()
    const reader = new EventBuffer<CacheEvent>(now, buffer, { type: 'resync' }, () => {
      over.abort()
      this.#readers.delete(reader)
    })
    if (this.#failure !== null) reader.end(this.#failure)
    else if (this.#stop.signal.aborted || signal?.aborted) reader.end(null)
    else this.#readers.add(reader)
    signal?.addEventListener('abort', () => reader.end(null), { signal: over.signal })
    return reader
  }

  /** Resolves once the nodes are as asked. Rejects with what ends the cache, Timeout or Aborted. */
  async until(
    as: (nodes: ReadonlyMap<string, CachedNode>) => boolean,
    options: WaitOptions = {},
  ): Promise<ReadonlyMap<string, CachedNode>> {
    checkCallback(as, 'as')
    using wait = waitSignal(this.#world.clock, options)
    await this.ready({ signal: wait.signal })
    for await (const event of this.events({ signal: wait.signal })) {
      if (event.type !== 'stale' && as(this.#nodes)) return this.#nodes
    }
    throw wait.signal.aborted ? aborted(wait.signal) : new KeeperError('Closed', undefined, { path: this.path })
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#bell.ring()
    await this.#running
    for (const reader of this.#readers) reader.end(null)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(ready: () => void): Promise<void> {
    const { client } = this.#world
    const { signal } = this.#stop
    const notices = await untilAnswered(client, () => client.watch(this.path, { recursive: true, signal }), signal)
    let end: { readonly error: unknown } | null = null
    const listening = this.#listen(notices).catch((error: unknown) => {
      end = { error }
      this.#bell.ring()
    })
    let all = true
    while (!signal.aborted) {
      if (all) {
        await this.#readAll()
        this.#stale = this.#lost
      } else await this.#catchUp()
      if (!this.#whole) {
        this.#whole = true
        ready()
        this.#tell({ type: 'ready' })
      }
      await this.#bell.wait()
      if (end !== null) throw (end as { readonly error: unknown }).error
      all = this.#resync
      this.#resync = false
    }
    await listening
  }

  async #catchUp(): Promise<void> {
    const resumed = this.#resumed
    this.#resumed = false
    await this.#refresh([...this.#dirty])
    if (!resumed) return
    this.#stale = this.#lost
    if (!this.#lost) this.#tell({ type: 'ready' })
  }

  async #listen(notices: AsyncIterable<WatchNotice>): Promise<void> {
    for await (const { type, path } of notices) {
      if (type === 'lost') {
        this.#lost = true
        this.#stale = true
        this.#tell({ type: 'stale' })
        continue
      }
      if (type === 'resumed') {
        this.#lost = false
        this.#resumed = true
      } else if (type === 'resync') {
        this.#lost = false
        this.#resync = true
      } else this.#dirty.add(path)
      this.#bell.ring()
    }
  }

  /** Reads the subtree anew; what is not there any more goes. */
  async #readAll(): Promise<void> {
    this.#dirty.clear()
    const found = new Set<string>()
    for (let paths = [this.path]; paths.length > 0; ) {
      for (const path of paths) found.add(path)
      await this.#refresh(paths)
      const below = await Promise.all(
        paths
          .filter((path) => (this.#nodes.get(path)?.stat.numChildren ?? 0) > 0)
          .map(async (path) =>
            (await childrenOf(this.#world.client, path, this.#stop.signal)).map((name) => join(path, name)),
          ),
      )
      paths = below.flat()
    }
    await this.#refresh([...this.#nodes.keys()].filter((path) => !found.has(path)))
    if (this.#whole) this.#tell({ type: 'resync' })
  }

  /** Reads these nodes and takes over what changed, in the order of zxids. Requests go out together. */
  async #refresh(paths: readonly string[]): Promise<void> {
    const { client } = this.#world
    for (const path of paths) this.#dirty.delete(path)
    const read = (path: string) => (call: CallOptions) => dataOrNull(client, path, call)
    const nodes = await Promise.all(paths.map((path) => untilAnswered(client, read(path), this.#stop.signal)))
    const changed: CachedNode[] = []
    paths.forEach((path, i) => {
      const node = nodes[i] ?? null
      if (node === null) this.#drop(path)
      else changed.push({ path, ...node })
    })
    for (const node of changed.sort((a, b) => a.stat.mzxid - b.stat.mzxid)) this.#put(node)
  }

  #put(node: CachedNode): void {
    const previous = this.#nodes.get(node.path) ?? null
    this.#nodes.set(node.path, node)
    this.#noted(Math.max(node.stat.mzxid, node.stat.pzxid) as Zxid)
    if (previous?.stat.mzxid !== node.stat.mzxid) this.#tell({ type: 'put', node, previous })
  }

  #drop(path: string): void {
    const previous = this.#nodes.get(path)
    if (previous === undefined) return
    this.#nodes.delete(path)
    this.#tell({ type: 'delete', previous })
  }

  #noted(zxid: Zxid): void {
    if (zxid > this.#zxid) this.#zxid = zxid
  }

  #tell(event: CacheEvent): void {
    for (const reader of this.#readers) reader.push(event)
  }
}

const join = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)
