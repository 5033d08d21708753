import type { SessionId } from '../base/ids.ts'
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
} from '../client/api.ts'
import type { KeyPair } from '../client/key-auth.ts'
import { KeeperEventSource } from './events.ts'

/** A keeper is a znode client: everything here is said by its client. See ZnodeClient for what the methods promise. */
export abstract class ZnodeFace extends KeeperEventSource {
  readonly #client: ZnodeClient

  constructor(client: ZnodeClient) {
    super()
    this.#client = client
  }

  get state(): ClientState {
    return this.#client.state
  }
  get sessionId(): SessionId {
    return this.#client.sessionId
  }
  get sessionTimeout(): number {
    return this.#client.sessionTimeout
  }
  get lastZxid(): Zxid {
    return this.#client.lastZxid
  }
  onState(listener: (change: StateChange) => void, options?: { readonly signal?: AbortSignal }): void {
    this.#client.onState(listener, options)
  }
  create(path: string, data?: Data, options?: CreateOptions): Promise<{ readonly path: string; readonly stat: Stat }> {
    return this.#client.create(path, data, options)
  }
  delete(path: string, options?: VersionOptions): Promise<void> {
    return this.#client.delete(path, options)
  }
  exists(path: string, options?: ReadOptions): Promise<Stat | null> {
    return this.#client.exists(path, options)
  }
  getData(path: string, options?: ReadOptions): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }> {
    return this.#client.getData(path, options)
  }
  setData(path: string, data: Data, options?: VersionOptions): Promise<Stat> {
    return this.#client.setData(path, data, options)
  }
  getChildren(
    path: string,
    options?: ReadOptions,
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }> {
    return this.#client.getChildren(path, options)
  }
  getAcl(path: string, options?: CallOptions): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    return this.#client.getAcl(path, options)
  }
  setAcl(path: string, acl: readonly Acl[], options?: VersionOptions): Promise<Stat> {
    return this.#client.setAcl(path, acl, options)
  }
  multi(ops: readonly Op[], options?: CallOptions): Promise<readonly OpResult[]> {
    return this.#client.multi(ops, options)
  }
  multiRead(ops: readonly ReadOp[], options?: CallOptions): Promise<readonly ReadOpResult[]> {
    return this.#client.multiRead(ops, options)
  }
  sync(path?: string, options?: CallOptions): Promise<void> {
    return this.#client.sync(path, options)
  }
  addAuth(scheme: string, auth: Uint8Array | string): Promise<void> {
    return this.#client.addAuth(scheme, auth)
  }
  addKey(pair: KeyPair, options?: CallOptions): Promise<void> {
    return this.#client.addKey(pair, options)
  }
  whoAmI(options?: CallOptions): Promise<readonly { readonly scheme: string; readonly user: string }[]> {
    return this.#client.whoAmI(options)
  }
  getEphemerals(prefix?: string, options?: CallOptions): Promise<readonly string[]> {
    return this.#client.getEphemerals(prefix, options)
  }
  getAllChildrenNumber(path: string, options?: CallOptions): Promise<number> {
    return this.#client.getAllChildrenNumber(path, options)
  }
  watch(
    path: string,
    options?: { readonly recursive?: boolean; readonly signal?: AbortSignal },
  ): Promise<AsyncIterableIterator<WatchNotice>> {
    return this.#client.watch(path, options)
  }
}
