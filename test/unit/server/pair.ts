import type { SessionId } from '../../../src/base/ids.ts'
import { makeZxid, nextZxid, type Zxid } from '../../../src/base/zxid.ts'
import { XIDS } from '../../../src/jute/opcodes.ts'
import { PacketBatch, splitPackets } from '../../../src/jute/packets.ts'
import {
  decodeConnectResponse,
  decodeEvent,
  decodeReply,
  encodeConnectRequest,
  encodeRequest,
  type Request,
} from '../../../src/jute/protocol.ts'
import type { ConnectionId, ServerOrder } from '../../../src/server/orders.ts'
import { Server } from '../../../src/server/server.ts'

export interface Seen {
  readonly xid: number
  readonly zxid: number
  readonly err: number
  readonly event?: string
}

/** Two replicas, the first of which leads; the log between them moves when the test says so. */
export class Pair {
  readonly servers = [new Server(), new Server()] as const
  readonly frames = new Map<ConnectionId, Uint8Array[]>()
  readonly closed = new Map<ConnectionId, string>()
  readonly syncs: number[] = []
  now = 1000
  #requests: Uint8Array[] = []
  readonly #log: { readonly zxid: Zxid; readonly txn: Uint8Array }[] = []
  readonly #applied = [0, 0]
  #zxid = makeZxid(1, 0)
  #drawn = 0

  constructor() {
    this.servers[0].startLeading(this.now)
    for (const server of this.servers) server.serving(true)
  }

  carryOut(orders: readonly ServerOrder[]): void {
    for (const order of orders) {
      if (order.kind === 'request') this.#requests.push(order.bytes)
      else if (order.kind === 'sync') this.syncs.push(order.tag)
      else if (order.kind === 'closeConnection') this.closed.set(order.connection, order.reason)
      else this.frames.set(order.connection, [...(this.frames.get(order.connection) ?? []), order.frame])
    }
  }

  /** Prepares what was asked; the replicas apply it, up to `behind` txns less on the second. */
  commit(behind = 0): void {
    for (const bytes of this.#requests.splice(0)) {
      this.#zxid = nextZxid(this.#zxid)
      this.#log.push({ zxid: this.#zxid, txn: this.servers[0].prepare(this.#zxid, bytes, this.now, this.now) })
    }
    this.#apply(0, this.#log.length)
    this.#apply(1, this.#log.length - behind)
  }

  #apply(which: 0 | 1, end: number): void {
    for (let at = this.#applied[which] as number; at < end; at++) {
      const { zxid, txn } = this.#log[at] as { zxid: Zxid; txn: Uint8Array }
      this.#applied[which] = at + 1
      this.carryOut(this.servers[which].apply(zxid, txn))
    }
  }

  frame(which: 0 | 1, id: ConnectionId, ...packets: Uint8Array[]): void {
    const batch = new PacketBatch()
    for (const packet of packets) batch.add(packet)
    this.carryOut(this.servers[which].received(id, batch.take(), this.now, this.#entropy))
  }

  /** Connects and, with the commit, has a session. */
  connect(
    which: 0 | 1,
    id: ConnectionId,
    sessionId = 0n,
    passwd: Uint8Array = new Uint8Array(16),
    lastZxidSeen = 0,
    line = 0,
  ): void {
    this.carryOut(this.servers[which].connectionOpened(id, { from: 'peer', address: '' }))
    const session = sessionId as SessionId
    const connect = { protocolVersion: 0, lastZxidSeen, timeOut: 4000, sessionId: session, passwd, readOnly: false }
    const offer = line === 0 ? {} : { offer: { version: 1, line } }
    this.frame(which, id, encodeConnectRequest({ ...connect, ...offer }))
  }

  session(which: 0 | 1, id: ConnectionId): ReturnType<typeof decodeConnectResponse> {
    this.connect(which, id)
    this.commit()
    return this.connected(id)
  }

  connected(id: ConnectionId): ReturnType<typeof decodeConnectResponse> {
    return decodeConnectResponse(this.#packets(id)[0] as Uint8Array)
  }

  ask(which: 0 | 1, id: ConnectionId, ...requests: (readonly [xid: number, request: Request])[]): void {
    this.frame(which, id, ...requests.map(([xid, request]) => encodeRequest(xid, request)))
  }

  /** What came since the last look, in order. */
  seen(id: ConnectionId): Seen[] {
    return this.#packets(id).map((packet) => {
      const { header, body } = decodeReply(packet)
      return header.xid === XIDS.watchEvent ? { ...header, event: decodeEvent(body).path } : header
    })
  }

  #packets(id: ConnectionId): Uint8Array[] {
    const frames = this.frames.get(id) ?? []
    this.frames.delete(id)
    return frames.flatMap((frame) => splitPackets(frame))
  }

  readonly #entropy = (): Uint8Array => {
    const drawn = ++this.#drawn
    return new Uint8Array(32).map((_, at) => (at % 2 === 0 ? drawn : drawn ^ (drawn >>> 8)))
  }
}
