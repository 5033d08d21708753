import type { SessionId } from '../src/base/ids.ts'
import { makeZxid, nextZxid, type Zxid } from '../src/base/zxid.ts'
import type { FramePipe } from '../src/client/frame-pipe.ts'
import type { ConnectionId, ServerOrder } from '../src/server/orders.ts'
import { Server, type ServerOptions } from '../src/server/server.ts'
import { digestId } from '../src/tree/acl.ts'

export interface StandaloneOptions extends ServerOptions {
  /** What clients of scheme `ip` seem to come from. */
  readonly address?: string
  readonly seed?: number
}

/**
 * One replica that leads itself, without Zab: each request is prepared with the next zxid and applied at once. Everything runs in microtasks, in
 * order; time stands still until `advance`. Its super user is `super:secret`.
 */
export class Standalone {
  readonly server: Server
  readonly #address: string
  readonly #pipes = new Map<ConnectionId, ServerPipe>()
  readonly #inbox: (() => ServerOrder[])[] = []
  #running = false
  #zxid: Zxid = makeZxid(1, 0)
  #connection: ConnectionId = 0
  #random: number
  #up = true
  /** Monotonic clock, milliseconds. */
  now = 1_000
  /** Wall clock, milliseconds. */
  wall = 1_700_000_000_000

  constructor(options: StandaloneOptions = {}) {
    this.#address = options.address ?? '127.0.0.1'
    this.#random = options.seed ?? 1
    this.server = new Server({ superDigest: digestId('super:secret'), ...options })
    this.server.startLeading(this.now)
    this.server.serving(true)
  }

  /** A new connection; rejects while stopped. */
  connect = async (): Promise<FramePipe> => {
    if (!this.#up) throw new Error('the server is stopped')
    const id = ++this.#connection
    const pipe = new ServerPipe({
      frame: (frame) => this.#enqueue(() => this.server.received(id, frame, this.now, this.#entropy)),
      closed: () => this.#enqueue(() => this.#gone(id)),
    })
    this.#pipes.set(id, pipe)
    this.#enqueue(() => this.server.connectionOpened(id, { from: 'page', address: this.#address }))
    return pipe
  }

  /** Moves both clocks and ticks the server. */
  advance(ms: number): void {
    this.now += ms
    this.wall += ms
    this.#enqueue(() => this.server.ticked(this.now, this.wall))
  }

  /** The session ends as if its time were over. */
  expire(session: SessionId): void {
    this.#enqueue(() => this.server.endSession(session))
  }

  /** One pass of the container and TTL reaper. */
  reap(): void {
    this.#enqueue(() => this.server.reap(this.wall))
  }

  /** Cuts every connection; sessions live on. */
  cut(): void {
    for (const pipe of [...this.#pipes.values()]) pipe.cut('connection cut')
  }

  /** The replica serves nobody (no quorum), until `start`. */
  stop(): void {
    this.#up = false
    this.#enqueue(() => this.server.serving(false))
  }

  start(): void {
    this.#up = true
    this.#enqueue(() => this.server.serving(true))
  }

  /** Resolves once nothing is under way here or in clients that answer at once. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = this.#inbox.length === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #gone(id: ConnectionId): ServerOrder[] {
    this.#pipes.delete(id)
    return this.server.connectionClosed(id)
  }

  #enqueue(fact: () => ServerOrder[]): void {
    this.#inbox.push(fact)
    if (this.#running) return
    this.#running = true
    queueMicrotask(() => this.#run())
  }

  #run(): void {
    try {
      for (let fact = this.#inbox.shift(); fact !== undefined; fact = this.#inbox.shift()) this.#carryOut(fact())
    } finally {
      this.#running = false
    }
  }

  #carryOut(orders: readonly ServerOrder[]): void {
    for (const order of orders) {
      switch (order.kind) {
        case 'reply':
          this.#pipes.get(order.connection)?.deliver(order.frame)
          break
        case 'closeConnection':
          this.#pipes.get(order.connection)?.cut(order.reason)
          this.#pipes.delete(order.connection)
          break
        case 'request': {
          const zxid = nextZxid(this.#zxid)
          this.#zxid = zxid
          const txn = this.server.prepare(zxid, order.bytes, this.now, this.wall)
          this.#inbox.push(() => this.server.apply(zxid, txn))
          break
        }
        case 'sync':
          this.#inbox.push(() => this.server.synced(order.tag))
          break
      }
    }
  }

  /** Chance from a seed (mulberry32). */
  readonly #entropy = (): Uint8Array => {
    const bytes = new Uint8Array(32)
    for (let i = 0; i < bytes.length; i++) {
      this.#random = (this.#random + 0x6d2b79f5) | 0
      let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      bytes[i] = (t ^ (t >>> 14)) & 255
    }
    return bytes
  }
}

/** The client's end. What comes before `onframe` is set waits for it. */
class ServerPipe implements FramePipe {
  readonly #to: { readonly frame: (frame: Uint8Array) => void; readonly closed: () => void }
  #open = true
  #waiting: Uint8Array[] = []
  #onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null

  constructor(to: { readonly frame: (frame: Uint8Array) => void; readonly closed: () => void }) {
    this.#to = to
  }

  get onframe(): ((frame: Uint8Array) => void) | null {
    return this.#onframe
  }

  set onframe(listener: ((frame: Uint8Array) => void) | null) {
    this.#onframe = listener
    if (listener === null) return
    for (const frame of this.#waiting.splice(0)) listener(frame)
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#open) this.#to.frame(frame)
  }

  close(): void {
    this.cut('closed')
  }

  deliver(frame: Uint8Array): void {
    if (!this.#open) return
    if (this.#onframe === null) this.#waiting.push(frame)
    else this.#onframe(frame)
  }

  cut(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#to.closed()
    this.onclose?.(reason)
  }
}
