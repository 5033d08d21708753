import { LIMITS } from '../base/limits.ts'
import type { ConnectRequest, ConnectResponse, ReplyHeader, WatcherEvent } from '../jute/headers.ts'
import { XIDS } from '../jute/opcodes.ts'
import { PacketBatch, splitPackets } from '../jute/packets.ts'
import {
  decodeConnectResponse,
  decodeEvent,
  decodeReply,
  encodeConnectRequest,
  encodeRequest,
} from '../jute/protocol.ts'
import { DecodeError } from '../jute/reader.ts'
import type { PendingCall } from './call.ts'
import type { Clock } from './clock.ts'
import type { FramePipe } from './frame-pipe.ts'
import { Pulse } from './pulse.ts'

const XID_MAX = 0x7fffffff

export interface ConnectionEvents {
  established(response: ConnectResponse): void
  /** Every numbered reply's zxid, before the call is told. */
  replied(zxid: number): void
  event(event: WatcherEvent, zxid: number): void
  /** Answers to auth packets, in the order in which they were sent. */
  authenticated(err: number): void
  /** Once, and nothing after it. Calls in flight are told before. */
  /** `again`: reads that were not answered. */
  lost(reason: string, again: readonly PendingCall[]): void
}

/** One pipe's life: handshake, then requests and their replies in order. It does not outlive its pipe. */
export class Connection {
  readonly #pipe: FramePipe
  readonly #events: ConnectionEvents
  readonly #pulse: Pulse
  readonly #inFlight = new Map<number, PendingCall>()
  readonly #batch = new PacketBatch()
  readonly #hello: Uint8Array
  readonly #patience: number
  #established = false
  #ended = false
  #nextXid = 1
  #nextReply = 1

  /** `pings`: keep the session alive from here. `patience`: how long the handshake may take, milliseconds. */
  constructor(
    pipe: FramePipe,
    events: ConnectionEvents,
    hello: ConnectRequest,
    options: { readonly clock: Clock; readonly pings: boolean; readonly patience: number },
  ) {
    this.#pipe = pipe
    this.#events = events
    this.#pulse = new Pulse(options.clock, {
      pings: options.pings,
      ping: () => {
        this.#post(encodeRequest(XIDS.ping, { kind: 'ping' }))
        this.flush()
      },
      silent: (ms) => this.end(`no answer for ${Math.round(ms)} ms`),
    })
    pipe.onframe = (frame) => this.#received(frame)
    pipe.onclose = (reason) => this.end(reason)
    this.#hello = encodeConnectRequest(hello)
    this.#patience = options.patience
  }

  open(): void {
    this.#pulse.expectAnswer(this.#patience)
    this.#post(this.#hello)
    this.flush()
  }

  /** Adds a call to the frame being built; `flush` sends it. */
  add(call: PendingCall): void {
    const xid = this.#nextXid
    this.#nextXid = xid === XID_MAX ? 1 : xid + 1
    const { packet } = call
    packet[0] = xid >>> 24
    packet[1] = xid >>> 16
    packet[2] = xid >>> 8
    packet[3] = xid
    this.#inFlight.set(xid, call)
    call.sent()
    this.#post(call.packet)
  }

  /** A packet with an xid of its own: auth, setWatches. */
  addSpecial(packet: Uint8Array): void {
    this.#post(packet)
  }

  /** What was added leaves as one frame (as several, above LIMITS.messageBytesMax). */
  flush(): void {
    if (this.#ended || this.#batch.length === 0) return
    this.#pulse.sent()
    this.#pipe.send(this.#batch.take())
  }

  end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#pulse.stop()
    this.#pipe.onframe = null
    this.#pipe.onclose = null
    this.#pipe.close()
    const calls = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const call of calls) if (!call.repeatable) call.fail('ConnectionLoss', reason)
    this.#events.lost(
      reason,
      calls.filter((call) => call.repeatable),
    )
  }

  #post(packet: Uint8Array): void {
    if (this.#batch.length > 0 && this.#batch.length + packet.length > LIMITS.messageBytesMax) this.flush()
    this.#batch.add(packet)
  }

  #received(frame: Uint8Array): void {
    this.#pulse.heard()
    try {
      for (const packet of splitPackets(frame, LIMITS.messageBytesMax)) {
        if (this.#ended) return
        if (this.#established) this.#reply(packet)
        else this.#welcome(decodeConnectResponse(packet))
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.end(`unreadable: ${error.message}`)
    }
  }

  #welcome(response: ConnectResponse): void {
    this.#established = true
    if (response.timeOut > 0) this.#pulse.start(response.timeOut)
    this.#events.established(response)
  }

  #reply(packet: Uint8Array): void {
    const { header, body } = decodeReply(packet)
    switch (header.xid) {
      case XIDS.watchEvent:
        this.#events.event(decodeEvent(body), header.zxid)
        return
      case XIDS.auth:
        this.#events.authenticated(header.err)
        return
      case XIDS.ping:
      case XIDS.setWatches:
        return
      default:
        this.#answer(header, body)
    }
  }

  #answer(header: ReplyHeader, body: Uint8Array): void {
    const xid = header.xid
    const call = xid === this.#nextReply ? this.#inFlight.get(xid) : undefined
    if (call === undefined) throw new DecodeError(`reply ${xid} out of order, waiting for ${this.#nextReply}`)
    if (header.zxid > 0) this.#events.replied(header.zxid)
    call.reply(header.err, body)
    this.#inFlight.delete(xid)
    this.#nextReply = xid === XID_MAX ? 1 : xid + 1
  }
}
