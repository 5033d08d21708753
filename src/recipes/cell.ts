import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Op, Stat, WatchEvent } from '../client/api.ts'
import { checkVersion } from '../client/arguments.ts'
import { checkCallback, checkWait } from './arguments.ts'
import { pause, type WaitOptions, waitSignal } from './deadline.ts'
import { fromJson, toJson } from './json.ts'
import { Marked } from './mark.ts'
import { dataOrNull, untilChange } from './node-change.ts'
import { toNodeName } from './node-name.ts'
import { ensureNode } from './parents.ts'
import { hasCode, settle, untilAnswered } from './retry.ts'
import type { World } from './world.ts'

export const CELLS_ROOT = '/tk/cells'

/** A value as it was at `zxid`. `version` counts the writes since it was created. */
export interface Versioned<T> {
  readonly value: T
  readonly version: number
  readonly zxid: Zxid
  readonly path: string
}

interface Node {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface SetOptions {
  /** Write only over this version; `null`: only where there is nothing. Left out: over anything. */
  readonly ifVersion?: number | null
  readonly signal?: AbortSignal
}

/**
 * One value that all pages share, as JSON. Every write is applied once or not at all, also when its reply is lost. Curator: SharedValue,
 * DistributedAtomicValue, modeled nodes.
 */
export class Cell<T> {
  readonly path: string
  readonly #world: World
  readonly #marked: Marked

  constructor(world: World, name: string, root: string = CELLS_ROOT) {
    this.#world = world
    this.#marked = new Marked(world)
    this.path = `${root}/${toNodeName('name', name)}`
  }

  /** As this replica sees it now; null: there is none, or something that is no JSON. */
  async get(options: WaitOptions = {}): Promise<Versioned<T> | null> {
    using wait = waitSignal(this.#world.clock, options)
    return this.#shown(await this.#read(wait.signal))
  }

  /** Rejects with BadVersion (another version is there, or none), NodeExists (`ifVersion: null`, and there is one), BadArguments. */
  async set(value: T, options: SetOptions = {}): Promise<Versioned<T>> {
    const { ifVersion, signal } = checkWait(options)
    if (ifVersion !== null) checkVersion(ifVersion, 'ifVersion')
    const text = toJson('value', value)
    if (typeof ifVersion === 'number') {
      try {
        const zxid = await this.#write({ op: 'setData', path: this.path, data: text, version: ifVersion }, signal)
        return { value, version: ifVersion + 1, zxid, path: this.path }
      } catch (error) {
        if (!hasCode(error, 'NoNode')) throw error
        throw new KeeperError('BadVersion', `nothing is there to replace: ${this.path}`, { path: this.path })
      }
    }
    if (ifVersion === null) return this.#first(value, text, signal)
    return this.update(() => value, signal === undefined ? {} : { signal })
  }

  /**
   * Replaces the value by what `change` makes of it; calls it again with the newer value where another page was faster. Its effect is applied
   * once; with Timeout or Aborted, once or not at all. Rejects as `change` throws.
   */
  async update(change: (current: T | undefined) => T, options: WaitOptions = {}): Promise<Versioned<T>> {
    checkCallback(change, 'change')
    const { client, clock, random } = this.#world
    using wait = waitSignal(clock, options)
    for (let attempt = 0; ; attempt++) {
      wait.signal.throwIfAborted()
      // What a lagging replica shows is refused by its version; once refused, look behind a sync.
      if (attempt > 0) await settle(client, this.path, wait.signal)
      const before = await this.#read(wait.signal)
      const value = change(before === null ? undefined : (fromJson(before.data) as T | undefined))
      try {
        if (before === null) return await this.#create(value, toJson('value', value), wait.signal)
        const { version } = before.stat
        const write: Op = { op: 'setData', path: this.path, data: toJson('value', value), version }
        return { value, version: version + 1, zxid: await this.#write(write, wait.signal), path: this.path }
      } catch (error) {
        if (!hasCode(error, 'BadVersion', 'NodeExists', 'NoNode')) throw error
      }
      await pause(clock, random, attempt, wait.signal)
    }
  }

  /** Empties it. Idempotent. BadVersion with another `ifVersion`. The node stays, so that versions go on counting and no old one fits again. */
  async delete(ifVersion = -1): Promise<void> {
    checkVersion(ifVersion, 'ifVersion')
    try {
      await this.#write({ op: 'setData', path: this.path, data: null, version: ifVersion })
    } catch (error) {
      if (!hasCode(error, 'NoNode')) throw error
    }
  }

  /** The value now, then after each change; changes faster than the reader come as one. Ends by `break`, `signal`, or with the session (throws). */
  async *watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Versioned<T> | null, void, undefined> {
    const { signal } = checkWait(options)
    const { client } = this.#world
    /** What was read last: also an emptied node, which shows as null, has a zxid. */
    let seen: Zxid | null | undefined
    try {
      while (signal?.aborted !== true) {
        const node = await this.#read(signal)
        const zxid = node?.stat.mzxid ?? null
        if (zxid !== seen) yield this.#shown(node)
        seen = zxid
        await untilChange(client, (watch) => this.#armed(zxid, watch), signal)
      }
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  }

  /** False: it has changed already. A missing node is watched too. */
  async #armed(seen: Zxid | null, watch: (event: WatchEvent) => void): Promise<boolean> {
    const { client } = this.#world
    return ((await client.exists(this.path, { watch }))?.mzxid ?? null) === seen
  }

  #read(signal?: AbortSignal): Promise<Node | null> {
    const { client } = this.#world
    return untilAnswered(client, (call) => dataOrNull(client, this.path, call), signal)
  }

  /** Where there is nothing, or something that was emptied. */
  async #first(value: T, text: string, signal?: AbortSignal): Promise<Versioned<T>> {
    for (;;) {
      const before = await this.#read(signal)
      if (before === null) return this.#create(value, text, signal)
      if (before.data !== null && before.data.length > 0) {
        throw new KeeperError('NodeExists', `there is a value: ${this.path}`, { path: this.path })
      }
      try {
        return await this.set(value, { ifVersion: before.stat.version, ...(signal && { signal }) })
      } catch (error) {
        if (!hasCode(error, 'BadVersion')) throw error
      }
    }
  }

  async #create(value: T, text: string, signal?: AbortSignal): Promise<Versioned<T>> {
    const { client } = this.#world
    for (;;) {
      try {
        const zxid = await this.#write({ op: 'create', path: this.path, data: text }, signal)
        return { value, version: 0, zxid, path: this.path }
      } catch (error) {
        if (!hasCode(error, 'NoNode')) throw error
        await ensureNode(client, this.path.slice(0, this.path.lastIndexOf('/')), 'persistent', signal)
      }
    }
  }

  #write(op: Op, signal?: AbortSignal): Promise<Zxid> {
    return this.#marked.commit([op], signal)
  }

  #shown(node: Node | null): Versioned<T> | null {
    const value = node === null ? undefined : fromJson(node.data)
    if (node === null || value === undefined) return null
    return { value: value as T, version: node.stat.version, zxid: node.stat.mzxid, path: this.path }
  }
}
