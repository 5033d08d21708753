import { NO_SESSION, type SessionId } from '../base/ids.ts'
import type { Request } from '../jute/protocol.ts'
import type { SimpleRequest } from '../jute/requests.ts'
import type { Identity } from '../tree/acl.ts'
import type { ConnectionId, ConnectionInfo } from './orders.ts'

/** A request that has no reply yet. */
export type Pending =
  /** The connect request: answered when its createSession or moveSession is applied. */
  | { readonly kind: 'join'; readonly password: Uint8Array }
  | { readonly kind: 'write'; readonly xid: number; readonly request: Request }
  /** A write that is not on its way yet: a sync stands before it. */
  | {
      readonly kind: 'held'
      readonly xid: number
      readonly request: Request
      readonly packet: Uint8Array
      readonly who: readonly Identity[]
    }
  | { readonly kind: 'read'; readonly xid: number; readonly request: Request }
  | { readonly kind: 'sync'; readonly xid: number; readonly path: string; readonly tag: number }

/** One client's connection: who it is, and what it waits for, in the order in which it asked. */
export class Connection {
  readonly id: ConnectionId
  readonly address: string
  /** Its client lives in the page of this replica, and stops when this replica stops: see `Clients.residents`. */
  readonly resident: boolean
  readonly overTcp: boolean
  /** Its client is a page elsewhere that came over a link. */
  readonly guest: boolean
  /** `new` until the connect request, `joining` until its session is there. */
  phase: 'new' | 'joining' | 'open' = 'new'
  session: SessionId = NO_SESSION
  /** Of its request numbers; 0: they mean nothing beyond this connection. */
  line = 0
  /** Replies up to this number were read. */
  seen = 0
  /** What it wants to hear again, until the last packet of it is there. */
  resuming: SimpleRequest<'resumeWatches'>[] = []
  /** Its name in requests and txns; random, so that no other replica's connection has it. */
  origin = 0
  who: readonly Identity[]
  readonly #pending: (Pending | undefined)[] = []
  #head = 0
  /** The first sync without its answer; the end, if there is none. */
  #unsynced = 0
  /** Tags of its syncs that are answered, but stand behind a write. */
  readonly #synced = new Set<number>()

  constructor(id: ConnectionId, { address, from }: ConnectionInfo) {
    this.id = id
    this.resident = from === 'page' || from === 'worker'
    this.guest = from === 'peer'
    this.overTcp = from === 'tcp'
    this.address = address
    this.who = address === '' ? [] : [{ scheme: 'ip', id: address }]
  }

  identify(more: readonly Identity[]): void {
    const isNew = ({ scheme, id }: Identity): boolean => !this.who.some((own) => own.scheme === scheme && own.id === id)
    this.who = [...this.who, ...more.filter(isNew)]
  }

  get idle(): boolean {
    return this.#head === this.#pending.length
  }

  /** A write that left now could be applied before a sync is answered, and its reply would have no place. */
  get holdsWrites(): boolean {
    return this.#unsynced < this.#pending.length
  }

  wait(pending: Pending): void {
    if (!this.holdsWrites && pending.kind !== 'sync') this.#unsynced++
    this.#pending.push(pending)
  }

  /** The writes that may leave now. */
  synced(tag: number): Extract<Pending, { kind: 'held' }>[] {
    this.#synced.add(tag)
    const free: Extract<Pending, { kind: 'held' }>[] = []
    for (; this.#unsynced < this.#pending.length; this.#unsynced++) {
      const pending = this.#pending[this.#unsynced]
      if (pending?.kind === 'sync' && !this.#synced.has(pending.tag)) break
      if (pending?.kind !== 'held') continue
      this.#pending[this.#unsynced] = { kind: 'write', xid: pending.xid, request: pending.request }
      free.push(pending)
    }
    return free
  }

  /** The first that waits for a txn, taken off; undefined: it stands not at the head, or nothing waits. */
  takeAwaited(): Extract<Pending, { kind: 'join' | 'write' }> | undefined {
    const head = this.#pending[this.#head]
    if (head?.kind !== 'join' && head?.kind !== 'write') return undefined
    this.#shift()
    return head
  }

  /** The next that can be answered now, taken off. */
  takeReady(): Extract<Pending, { kind: 'read' | 'sync' }> | undefined {
    const head = this.#pending[this.#head]
    if (head?.kind !== 'read' && !(head?.kind === 'sync' && this.#synced.delete(head.tag))) return undefined
    this.#shift()
    return head
  }

  #shift(): void {
    this.#pending[this.#head++] = undefined
    if (this.#head * 2 < this.#pending.length) return
    this.#pending.splice(0, this.#head)
    this.#unsynced -= this.#head
    this.#head = 0
  }
}
