import { utf8 } from '../base/bytes.ts'
import { ERROR_CODES, KeeperError } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import type {
  Acl,
  CallOptions,
  ClientState,
  CreateOptions,
  Data,
  Op,
  OpResult,
  ReadOp,
  ReadOpResult,
  ReadOptions,
  Stat,
  StateChange,
  VersionOptions,
  WatchNotice,
  ZnodeClient,
} from './api.ts'
import { checkAcl, checkData, checkOptions, checkPath, checkVersion, refuse, showAcl } from './arguments.ts'
import { Chroot } from './chroot.ts'
import type { Connector } from './frame-pipe.ts'
import { checkKeyPair, type KeyPair, proveKey } from './key-auth.ts'
import type { ClientOptions } from './options.ts'
import { failure, Requests } from './requests.ts'
import { Session } from './session.ts'
import { StateListeners } from './state-listeners.ts'
import { checkDeletePath, createOp, multiOps, multiReadOps, multiReadResults, multiResults } from './transactions.ts'
import type { RemovedKind, WatchMode } from './watch-registry.ts'
import { type RemoveWatchesOptions, Watches, type WatchListener } from './watches.ts'

export type { ClientOptions } from './options.ts'

/** ZooKeeper: the class ZooKeeper. See ZnodeClient for what its methods promise. */
export class Client implements ZnodeClient {
  readonly #chroot: Chroot
  readonly #session: Session
  readonly #requests: Requests
  readonly #watches: Watches
  readonly #listeners: StateListeners
  #closing: Promise<void> | null = null

  /** At once; requests wait until there is a session. Throws BadArguments. */
  static connect(connector: Connector, options: ClientOptions): Client {
    const client = new Client(connector, options)
    for (const { scheme, auth } of options.auth ?? []) client.addAuth(scheme, auth).catch(() => undefined)
    client.#session.start()
    return client
  }

  private constructor(connector: Connector, options: ClientOptions) {
    const { clock, random, sessionTimeout = TIMES.sessionTimeout } = options
    if (!Number.isInteger(sessionTimeout) || sessionTimeout < 1 || sessionTimeout > TIMES.sessionTimeoutMax) {
      throw refuse('sessionTimeout', `must be an integer from 1 to ${TIMES.sessionTimeoutMax} milliseconds`)
    }
    const onError = options.onError ?? uncaught
    this.#chroot = new Chroot(options.chroot)
    this.#listeners = new StateListeners(onError)
    this.#requests = new Requests((call) => this.#session.submit(call))
    this.#watches = new Watches(this.#requests, this.#chroot, onError)
    this.#session = new Session(connector, {
      clock,
      random,
      timeout: sessionTimeout,
      touchedByHost: options.touchedByHost ?? false,
      resume: options.session,
      event: (event, zxid) => this.#watches.happened(event, zxid),
      plain: options.plain ?? false,
      askOffline: options.askOffline,
      rewatch: (since, resumes) => this.#watches.rewatch(since, resumes),
      resumed: (all) => this.#watches.interrupted(all ? 'resumed' : 'resync', this.lastZxid),
      changed: (change) => this.#changed(change),
    })
  }

  get state(): ClientState {
    return this.#session.state
  }
  get sessionId(): SessionId {
    return this.#session.id
  }
  /** With the id: what another client needs to take the session over. */
  get sessionPassword(): Uint8Array {
    return this.#session.password.slice()
  }
  get sessionTimeout(): number {
    return this.#session.timeout
  }
  get lastZxid(): Zxid {
    return this.#session.lastZxid
  }

  onState(listener: (change: StateChange) => void, options: { readonly signal?: AbortSignal } = {}): void {
    this.#listeners.add(listener, options.signal)
  }

  /** Resolves when connected; rejects if the session is over before, or Aborted. */
  connected(options: CallOptions = {}): Promise<void> {
    return this.#listeners.connected(this.state, options.signal)
  }

  async create(
    path: string,
    data?: Data,
    options: CreateOptions = {},
  ): Promise<{ readonly path: string; readonly stat: Stat }> {
    const request = createOp(path, data, options, this.#chroot, 'create2')
    return this.#requests.ask(request, {
      path,
      signal: options.signal,
      write: true,
      read: (response) => ({ path: this.#chroot.relative(response.path), stat: response.stat }),
    })
  }

  async delete(path: string, options: VersionOptions = {}): Promise<void> {
    checkDeletePath(path)
    const request = {
      kind: 'delete',
      path: this.#chroot.absolute(path),
      version: checkVersion(checkOptions(options).version),
    } as const
    return this.#requests.ask(request, { path, signal: options.signal, write: true, read: () => undefined })
  }

  async exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    checkPath(path)
    const at = this.#chroot.absolute(path)
    const { watch, register, settled } = this.#watches.arm(at, checkOptions(options).watch)
    return this.#requests.ask(
      { kind: 'exists', path: at, watch },
      {
        path,
        signal: options.signal,
        read: ({ stat }): Stat | null => {
          register('data')
          return stat
        },
        refused: (err) => {
          if (err !== ERROR_CODES.NoNode) throw failure(err, path)
          register('exist')
          return null
        },
        settled,
      },
    )
  }

  async getData(
    path: string,
    options: ReadOptions = {},
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }> {
    checkPath(path)
    const at = this.#chroot.absolute(path)
    const { watch, register, settled } = this.#watches.arm(at, checkOptions(options).watch)
    return this.#requests.ask(
      { kind: 'getData', path: at, watch },
      {
        path,
        signal: options.signal,
        read: ({ data, stat }) => {
          register('data')
          return { data: data?.slice() ?? null, stat }
        },
        settled,
      },
    )
  }

  async setData(path: string, data: Data, options: VersionOptions = {}): Promise<Stat> {
    checkPath(path)
    const request = {
      kind: 'setData',
      path: this.#chroot.absolute(path),
      data: checkData(data),
      version: checkVersion(checkOptions(options).version),
    } as const
    return this.#requests.ask(request, { path, signal: options.signal, write: true, read: ({ stat }) => stat })
  }

  async getChildren(
    path: string,
    options: ReadOptions = {},
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }> {
    checkPath(path)
    const at = this.#chroot.absolute(path)
    const { watch, register, settled } = this.#watches.arm(at, checkOptions(options).watch)
    return this.#requests.ask(
      { kind: 'getChildren2', path: at, watch },
      {
        path,
        signal: options.signal,
        read: ({ children, stat }) => {
          register('children')
          return { children: [...children].sort(), stat }
        },
        settled,
      },
    )
  }

  async getAcl(
    path: string,
    options: CallOptions = {},
  ): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    checkPath(path)
    const request = { kind: 'getACL', path: this.#chroot.absolute(path) } as const
    return this.#requests.ask(request, {
      path,
      signal: options.signal,
      read: ({ acl, stat }) => ({ acl: showAcl(acl), stat }),
    })
  }

  async setAcl(path: string, acl: readonly Acl[], options: VersionOptions = {}): Promise<Stat> {
    checkPath(path)
    const request = {
      kind: 'setACL',
      path: this.#chroot.absolute(path),
      acl: checkAcl(acl),
      version: checkVersion(checkOptions(options).version),
    } as const
    return this.#requests.ask(request, { path, signal: options.signal, write: true, read: ({ stat }) => stat })
  }

  async multi(ops: readonly Op[], options: CallOptions = {}): Promise<readonly OpResult[]> {
    const request = { kind: 'multi', ops: multiOps(ops, this.#chroot) } as const
    const paths = ops.map((op) => op.path)
    return this.#requests.ask(request, {
      signal: options.signal,
      write: true,
      read: ({ results }) => multiResults(results, paths, this.#chroot),
    })
  }

  async multiRead(ops: readonly ReadOp[], options: CallOptions = {}): Promise<readonly ReadOpResult[]> {
    const request = { kind: 'multiRead', ops: multiReadOps(ops, this.#chroot) } as const
    return this.#requests.ask(request, { signal: options.signal, read: ({ results }) => multiReadResults(results) })
  }

  async sync(path = '/', options: CallOptions = {}): Promise<void> {
    checkPath(path)
    const request = { kind: 'sync', path: this.#chroot.absolute(path) } as const
    return this.#requests.ask(request, { path, signal: options.signal, read: () => undefined })
  }

  async addAuth(scheme: string, auth: Uint8Array | string): Promise<void> {
    if (typeof scheme !== 'string' || scheme === '') throw refuse('scheme', 'must be a name')
    if (typeof auth !== 'string' && !(auth instanceof Uint8Array))
      throw refuse('auth', 'must be a Uint8Array or a string')
    return this.#session.authenticate(scheme, typeof auth === 'string' ? utf8(auth) : auth)
  }

  async addKey(pair: KeyPair, options: CallOptions = {}): Promise<void> {
    checkKeyPair(pair)
    await this.connected(options)
    return this.#session.authenticate('key', await proveKey(pair, this.sessionId, this.#session.password))
  }

  async whoAmI(options: CallOptions = {}): Promise<readonly { readonly scheme: string; readonly user: string }[]> {
    return this.#requests.ask(
      { kind: 'whoAmI' },
      {
        signal: options.signal,
        read: ({ clientInfo }) => clientInfo.map(({ authScheme, user }) => ({ scheme: authScheme, user })),
      },
    )
  }

  /** Sorted; those of this session below `prefix` (a path, compared as text) and in the chroot. */
  async getEphemerals(prefix = '/', options: CallOptions = {}): Promise<readonly string[]> {
    checkPath(prefix, 'prefix')
    const request = { kind: 'getEphemerals', prefixPath: this.#chroot.absolute(prefix) } as const
    return this.#requests.ask(request, {
      path: prefix,
      signal: options.signal,
      read: ({ ephemerals }) =>
        ephemerals
          .filter((path) => this.#chroot.holds(path))
          .map((path) => this.#chroot.relative(path))
          .sort(),
    })
  }

  async getAllChildrenNumber(path: string, options: CallOptions = {}): Promise<number> {
    checkPath(path)
    const request = { kind: 'getAllChildrenNumber', path: this.#chroot.absolute(path) } as const
    return this.#requests.ask(request, { path, signal: options.signal, read: ({ totalNumber }) => totalNumber })
  }

  async watch(
    path: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<AsyncIterableIterator<WatchNotice>> {
    return this.#watches.stream(path, options.recursive ?? false, options.signal)
  }

  /** A persistent watch with a callback; ends by `removeWatches`. One `watch` may be registered often, and hears of a change once. */
  addWatch(
    path: string,
    watch: WatchListener,
    options: { readonly mode?: WatchMode; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    return this.#watches.add(path, watch, options.mode ?? 'persistent', options.signal)
  }

  /** The kinds of watches that are removed by it. NoWatcher: there are none. */
  removeWatches(path: string, options: RemoveWatchesOptions = {}): Promise<readonly RemovedKind[]> {
    return this.#watches.remove(path, options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(): Promise<void> {
    const farewell = this.#requests.prepare({ kind: 'closeSession' }, { write: true, read: () => undefined })
    return this.#session.close(farewell, farewell.promise)
  }

  #changed(change: StateChange): void {
    if (change.state === 'suspended') this.#watches.interrupted('lost', this.lastZxid)
    // Else once all that was missed has been told.
    if (change.state === 'connected' && !this.#session.resumes) this.#watches.interrupted('resync', this.lastZxid)
    if (change.state === 'closed') this.#watches.end(new KeeperError('Closed', change.reason))
    if (change.state === 'lost') this.#watches.end(new KeeperError(this.#session.endCode, change.reason))
    this.#listeners.tell(change, this.#session.endCode)
  }
}

const uncaught = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })
