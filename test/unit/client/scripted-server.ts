import type { SessionId } from '../../../src/base/ids.ts'
import type { Client } from '../../../src/client/client.ts'
import type { Clock } from '../../../src/client/clock.ts'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import { memoryPipe } from '../../../src/client/memory-pipe.ts'
import type { ConnectRequest } from '../../../src/jute/headers.ts'
import { EVENT_TYPES, type EventTypeName, KEEPER_STATES } from '../../../src/jute/opcodes.ts'
import { PacketBatch, splitPackets } from '../../../src/jute/packets.ts'
import {
  decodeConnectRequest,
  decodeRequest,
  encodeConnectResponse,
  encodeError,
  encodeEvent,
  encodeReply,
  type Request,
} from '../../../src/jute/protocol.ts'
import type { ResponseKind, Responses } from '../../../src/jute/responses.ts'

export const STAT = {
  czxid: 1,
  mzxid: 1,
  pzxid: 1,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
} as Responses['exists']['stat']

/** All that is due in microtasks, and in those that follow from them. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly then: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get timers(): number {
    return this.#timers.size
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#timers.delete(next)
      next.then()
      await settled()
    }
    this.#now = until
    await settled()
  }
}

/** The other end of one connection, with frames written by the test. */
export class ScriptedConnection {
  readonly frames: Uint8Array[] = []
  hello: ConnectRequest | null = null
  readonly requests: { readonly xid: number; readonly request: Request }[] = []
  closed = false
  readonly #pipe: FramePipe

  constructor(pipe: FramePipe) {
    this.#pipe = pipe
    pipe.onframe = (frame) => {
      this.frames.push(frame)
      for (const packet of splitPackets(frame)) {
        if (this.hello === null) this.hello = decodeConnectRequest(packet)
        else this.requests.push(decodeRequest(packet))
      }
    }
    pipe.onclose = () => {
      this.closed = true
    }
  }

  send(...packets: Uint8Array[]): Promise<void> {
    const batch = new PacketBatch()
    for (const packet of packets) batch.add(packet)
    this.#pipe.send(batch.take())
    return settled()
  }

  raw(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pipe.send(bytes)
    return settled()
  }

  welcome(timeOut = 6000, sessionId = 7n as SessionId): Promise<void> {
    const passwd = Uint8Array.of(1, 2, 3)
    return this.send(encodeConnectResponse({ protocolVersion: 0, timeOut, sessionId, passwd, readOnly: false }))
  }

  reply<K extends ResponseKind>(xid: number, kind: K, response: Responses[K], zxid = 1): Promise<void> {
    return this.send(encodeReply({ xid, zxid, err: 0 }, kind, response))
  }

  refuse(xid: number, err: number, zxid = 1): Promise<void> {
    return this.send(encodeError({ xid, zxid, err }))
  }

  event(type: EventTypeName, path: string, zxid = -1): Promise<void> {
    return this.send(encodeEvent({ type: EVENT_TYPES[type], state: KEEPER_STATES.SyncConnected, path }, zxid))
  }

  kinds(): string[] {
    return this.requests.map(({ request }) => request.kind)
  }

  cut(): Promise<void> {
    this.#pipe.close()
    return settled()
  }
}

export class ScriptedServer {
  readonly connections: ScriptedConnection[] = []
  refusing = false

  readonly connect = (): Promise<FramePipe> => {
    if (this.refusing) return Promise.reject(new Error('refused'))
    const [here, there] = memoryPipe()
    this.connections.push(new ScriptedConnection(there))
    return Promise.resolve(here)
  }

  get last(): ScriptedConnection {
    return this.connections.at(-1) as ScriptedConnection
  }
}

export interface Stage {
  readonly client: Client
  readonly server: ScriptedServer
  readonly clock: ManualClock
}
