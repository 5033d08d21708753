import { ERROR_CODES, KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { WatcherEvent } from '../jute/headers.ts'
import { ADD_WATCH_MODES, EVENT_TYPES, WATCHER_TYPES } from '../jute/opcodes.ts'
import type { WatchEvent, WatchEventType, WatchNotice } from './api.ts'
import { checkPath, refuse } from './arguments.ts'
import type { Chroot } from './chroot.ts'
import { failure, type Requests } from './requests.ts'
import { resumePackets, rewatchPackets } from './rewatch.ts'
import { type OneShotKind, type RemovedKind, type WatchMode, WatchRegistry, type WatchType } from './watch-registry.ts'
import { WatchStream } from './watch-stream.ts'

export type WatchListener = (event: WatchEvent) => void

export interface RemoveWatchesOptions {
  readonly type?: WatchType
  /** Only this listener's. The server keeps its watch; the client ignores what it says. */
  readonly watch?: WatchListener
  /** Forget them here even if the server cannot be reached. */
  readonly local?: boolean
  readonly signal?: AbortSignal
}

const TYPES = new Map<number, WatchEventType>(
  (['NodeCreated', 'NodeDeleted', 'NodeDataChanged', 'NodeChildrenChanged'] as const).map((type) => [
    EVENT_TYPES[type],
    type,
  ]),
)

/** A client's watches: who is told what. Paths of the registry are the server's. */
export class Watches {
  readonly #requests: Requests
  readonly #chroot: Chroot
  readonly #onError: (error: unknown) => void
  readonly #registry = new WatchRegistry<WatchListener>()
  readonly #streams = new Map<WatchListener, WatchStream>()
  /** Streams that are open or opening, by mode and path. */
  readonly #streamed = new Map<string, number>()
  /** Paths where the server has a recursive watch for a stream, which is left alone until nothing waits there any more. */
  #held = new Set<string>()

  constructor(requests: Requests, chroot: Chroot, onError: (error: unknown) => void) {
    this.#requests = requests
    this.#chroot = chroot
    this.#onError = onError
  }

  /**
   * For a read that sets a one-shot watch: what its request must say, and what to do at its reply. A watch counts only
   * from the reply on. Under a stream of the same path nothing is asked of the server: its events are enough, and
   * the server would let the one-shot watch replace the lasting one (ZOOKEEPER-4466).
   */
  arm(path: string, listener: WatchListener | undefined) {
    if (listener === undefined) return { watch: false, register: () => undefined, settled: () => undefined }
    if (typeof listener !== 'function') throw refuse('watch', 'must be a function')
    return {
      watch: !this.#isStreamed(path),
      register: (as: OneShotKind) => this.#registry.addOneShot(as, path, listener),
      settled: this.#registry.expect(path),
    }
  }

  async add(path: string, listener: WatchListener, mode: WatchMode, signal?: AbortSignal): Promise<void> {
    await this.#addLasting(path, listener, mode, signal, () => undefined)
  }

  async stream(path: string, recursive: boolean, signal?: AbortSignal): Promise<WatchStream> {
    const mode = recursive ? 'persistentRecursive' : 'persistent'
    const stream: WatchStream = new WatchStream(path, () => {
      signal?.removeEventListener('abort', stop)
      this.#count(mode, path, -1)
      this.#release(path, listener)
    })
    const listener = (event: WatchNotice): void => stream.push(event)
    const stop = (): void => stream.end(null)
    this.#count(mode, path, 1)
    if (recursive) this.#held.add(this.#chroot.absolute(path))
    try {
      await this.#addLasting(path, listener, mode, signal, () => this.#streams.set(listener, stream))
    } catch (error) {
      stop()
      throw error
    }
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
    return stream
  }

  /** The kinds that there were; NoWatcher if there were none. Streams of the path end. */
  async remove(path: string, options: RemoveWatchesOptions): Promise<readonly RemovedKind[]> {
    checkPath(path)
    const { type = 'any', watch, local = false, signal } = options
    if (type !== 'any' && type !== 'data' && type !== 'children') throw refuse('type', 'must be any, data or children')
    const at = this.#chroot.absolute(path)
    const forget = (): readonly RemovedKind[] => {
      if (!this.#registry.has(at, type, watch)) throw failure(ERROR_CODES.NoWatcher, path)
      const streams = this.#streamsAt(at, type, watch)
      if (type === 'any' && watch === undefined) this.#held.delete(at)
      const kinds = this.#registry.remove(at, type, watch)
      for (const [listener, stream] of streams) {
        this.#streams.delete(listener)
        stream.end(null)
      }
      return kinds
    }
    // The server would take half of a stream's watch away.
    if (type !== 'any' && this.#isStreamed(at)) return forget()
    try {
      return await this.#requests.ask(
        { kind: watch === undefined ? 'removeWatches' : 'checkWatches', path: at, type: WATCHER_TYPES[type] },
        {
          path,
          signal,
          once: true,
          read: forget,
          refused: (err) => {
            if (!local) throw failure(err, path)
            return forget()
          },
        },
      )
    } catch (error) {
      if (local && error instanceof KeeperError && error.code === 'ConnectionLoss') return forget()
      throw error
    }
  }

  happened(event: WatcherEvent, zxid: number): void {
    const type = TYPES.get(event.type)
    if (type === undefined) return
    this.#tell(type, event.path, Math.max(zxid, 0) as Zxid)
    // A recursive watch leaves out what follows from this, and stands in for those that would hear of it.
    if (type !== 'NodeCreated' && type !== 'NodeDeleted') return
    const parent = event.path.slice(0, Math.max(1, event.path.lastIndexOf('/')))
    if (event.path !== '/' && this.#held.has(parent)) {
      this.#tell('NodeChildrenChanged', parent, Math.max(zxid, 0) as Zxid)
    }
  }

  #tell(type: WatchEventType, path: string, zxid: Zxid): void {
    const told: WatchEvent = { type, path: this.#chroot.relative(path), zxid }
    for (const listener of this.#registry.fired(type, path)) {
      try {
        listener(told)
      } catch (error) {
        this.#onError(error)
      }
    }
  }

  /** Packets that arm all watches on a new connection; `resumes`: and tell what happened after `since`. */
  rewatch(since: Zxid, resumes: boolean): readonly Uint8Array[] {
    const paths = this.#registry.paths()
    this.#held = new Set([...this.#held].filter((path) => this.#streamed.has(`persistentRecursive ${path}`)))
    return resumes ? resumePackets(paths, since) : rewatchPackets(paths, since)
  }

  interrupted(type: 'lost' | 'resumed' | 'resync', lastZxid: Zxid): void {
    for (const stream of this.#streams.values()) stream.interrupted(type, lastZxid)
  }

  end(error: KeeperError): void {
    this.#registry.clear()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const stream of streams) stream.end(error)
  }

  #release(path: string, listener: WatchListener): void {
    if (!this.#streams.delete(listener)) return
    const at = this.#chroot.absolute(path)
    this.#registry.remove(at, 'any', listener)
    if (this.#registry.watches(at)) return
    this.#held.delete(at)
    this.#requests
      .ask({ kind: 'removeWatches', path: at, type: WATCHER_TYPES.any }, { path, read: () => undefined })
      // A watch too many on the server costs an event that nobody hears.
      .catch(() => undefined)
  }

  async #addLasting(
    path: string,
    listener: WatchListener,
    mode: WatchMode,
    signal: AbortSignal | undefined,
    registered: () => void,
  ): Promise<void> {
    checkPath(path)
    if (typeof listener !== 'function') throw refuse('watch', 'must be a function')
    if (!Object.hasOwn(ADD_WATCH_MODES, mode)) throw refuse('mode', 'must be persistent or persistentRecursive')
    const at = this.#chroot.absolute(path)
    const asked = this.#held.has(at) ? 'persistentRecursive' : mode
    await this.#requests.ask(
      { kind: 'addWatch', path: at, mode: ADD_WATCH_MODES[asked] },
      {
        path,
        signal,
        read: () => {
          this.#registry.addLasting(mode, at, listener)
          registered()
        },
        settled: this.#registry.expect(at),
      },
    )
  }

  #count(mode: WatchMode, path: string, change: 1 | -1): void {
    const key = `${mode} ${this.#chroot.absolute(path)}`
    const count = (this.#streamed.get(key) ?? 0) + change
    if (count > 0) this.#streamed.set(key, count)
    else this.#streamed.delete(key)
  }

  #isStreamed(path: string): boolean {
    return this.#held.has(path) || this.#streamed.has(`persistent ${path}`)
  }

  #streamsAt(path: string, type: WatchType, only: WatchListener | undefined): [WatchListener, WatchStream][] {
    if (type !== 'any') return []
    const found: [WatchListener, WatchStream][] = []
    for (const mode of ['persistent', 'persistentRecursive'] as const) {
      for (const listener of this.#registry.lastingAt(mode, path)) {
        const stream = this.#streams.get(listener)
        if (stream !== undefined && (only === undefined || only === listener)) found.push([listener, stream])
      }
    }
    return found
  }
}
