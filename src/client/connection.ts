import { ERROR_CODES, errorName } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { ConnectRequest, ConnectResponse, ReplyHeader, WatcherEvent } from '../jute/headers.ts'
import { nextNumber } from '../jute/numbers.ts'
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
import type { Numbering } from './numbering.ts'
import { Pulse } from './pulse.ts'

const isOfSession = (err: number): boolean => err === ERROR_CODES.SessionMoved || err === ERROR_CODES.SessionExpired

/** A reply's header: shorter than any connect response. */
const REFUSAL_BYTES = 16

export interface ConnectionEvents {
  established(response: ConnectResponse): void
  /** Every numbered reply's zxid, before the call is told. */
  replied(zxid: number): void
  event(event: WatcherEvent, zxid: number): void
  /** What happened since the last connection has been told, or (false) the server cannot tell it. */
  resumed(all: boolean): void
  /** Answers to auth packets, in the order in which they were sent. */
  authenticated(err: number): void
  /** Once, and nothing after it. Calls in flight are told before. */
  /** `again`: what was not answered and may be asked again, in its order. `full`: as of FramePipe.onclose. */
  lost(reason: string, again: readonly PendingCall[], full: boolean): void
}

/** One pipe's life: handshake, then requests and their replies in order. It does not outlive its pipe. */
export class Connection {
  readonly #pipe: FramePipe
  readonly #events: ConnectionEvents
  readonly #pulse: Pulse
  /** In the order of their replies, from `#head` on. */
  #inFlight: { readonly xid: number; readonly call: PendingCall }[] = []
  #head = 0
  #weight = 0
  readonly #batch = new PacketBatch()
  readonly #hello: Uint8Array
  readonly #patience: number
  #established = false
  #ended = false
  #nextXid = 1
  #numbering: Numbering | null = null
  #acknowledged = 0

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
    pipe.onclose = (reason, full) => this.end(reason, full)
    this.#hello = encodeConnectRequest(hello)
    this.#patience = options.patience
  }

  open(): void {
    this.#pulse.expectAnswer(this.#patience)
    this.#post(this.#hello)
    this.flush()
  }

  /** From the first request on: the server remembers what it answers under these numbers. */
  number(numbering: Numbering): void {
    this.#numbering = numbering
  }

  /** Would its reply, with those of all that is on its way, be more than the server remembers? */
  isFullFor(call: PendingCall): boolean {
    if (this.#numbering === null || this.#weight === 0) return false
    return this.#weight + call.weight > LIMITS.repliesBytesMax
  }

  /** Adds a call to the frame being built; `flush` sends it. */
  add(call: PendingCall): void {
    const xid = this.#xidOf(call)
    const { packet } = call
    packet[0] = xid >>> 24
    packet[1] = xid >>> 16
    packet[2] = xid >>> 8
    packet[3] = xid
    this.#inFlight.push({ xid, call })
    this.#weight += call.weight
    call.sent()
    this.#post(call.packet)
  }

  #xidOf(call: PendingCall): number {
    const numbering = this.#numbering
    if (numbering === null) {
      const xid = this.#nextXid
      this.#nextXid = nextNumber(xid)
      return xid
    }
    if (call.write && numbering.seen !== this.#acknowledged) {
      this.#acknowledged = numbering.seen
      this.#post(encodeRequest(XIDS.acknowledge, { kind: 'acknowledge', seen: numbering.seen }))
    }
    if (call.number === 0) call.number = numbering.take()
    return call.number
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

  end(reason: string, full = false): void {
    if (this.#ended) return
    this.#ended = true
    this.#pulse.stop()
    this.#pipe.onframe = null
    this.#pipe.onclose = null
    this.#pipe.close()
    const calls = this.#inFlight.slice(this.#head).map(({ call }) => call)
    this.#inFlight = []
    this.#head = 0
    for (const call of calls) if (!call.repeatable) call.fail('ConnectionLoss', reason)
    this.#events.lost(
      reason,
      calls.filter((call) => call.repeatable),
      full,
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
        else if (packet.length === REFUSAL_BYTES) this.#refused(packet)
        else this.#welcome(decodeConnectResponse(packet))
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.end(`unreadable: ${error.message}`)
    }
  }

  /** An error in the place of the connect response. */
  #refused(packet: Uint8Array): void {
    const { err } = decodeReply(packet).header
    const full = err === ERROR_CODES.ThrottledOp
    this.end(full ? 'the server takes no more sessions' : `refused: ${errorName(err)}`, full)
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
      case XIDS.setWatches:
        if (this.#numbering !== null) this.#events.resumed(header.err === 0)
        return
      case XIDS.ping:
        return
      default:
        this.#answer(header, body)
    }
  }

  #answer(header: ReplyHeader, body: Uint8Array): void {
    const { xid, err, zxid } = header
    const next = this.#inFlight[this.#head]
    if (next?.xid !== xid) throw new DecodeError(`reply ${xid} out of order, waiting for ${next?.xid}`)
    const { call } = next
    if (call.number > 0 && call.write && isOfSession(err)) {
      // No answer to the request, which may have been done over an earlier connection.
      this.end(`refused: ${errorName(err)}`)
      return
    }
    if (zxid > 0) this.#events.replied(zxid)
    call.reply(err, body)
    this.#weight -= call.weight
    if (this.#numbering !== null) this.#numbering.seen = xid
    this.#head++
    if (this.#head * 2 < this.#inFlight.length) return
    this.#inFlight.splice(0, this.#head)
    this.#head = 0
  }
}
