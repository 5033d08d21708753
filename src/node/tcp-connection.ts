import { LIMITS } from '../base/limits.ts'
import type { ClientPipe } from '../replica/api.ts'
import type { TcpPipe } from './tcp-pipe.ts'
import { type Traffic, Waits } from './traffic.ts'

/** One client's connection, for `cons`. */
export interface Counted {
  /** `address:port`. */
  readonly address: string
  /** Packets. */
  readonly received: number
  readonly sent: number
  /** Requests without an answer yet. */
  readonly outstanding: number
  /** 0n until it is there. */
  readonly session: bigint
  /** Negotiated, milliseconds. */
  readonly timeout: number
  /** Wall clock, milliseconds. */
  readonly since: number
}

interface Terms {
  readonly address: string
  readonly traffic: Traffic
  /** The handshake is answered. */
  readonly established: () => void
  readonly closed: () => void
}

/**
 * A client's pipe that counts, and reads in the first answer which session it is. A client that reads nothing is closed; from one that asks
 * more than is answered nothing is read for a while (ZooKeeper: globalOutstandingLimit), or a slow quorum would fill the memory.
 */
export class CountedPipe implements ClientPipe {
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  readonly #tcp: TcpPipe
  readonly #terms: Terms
  readonly #since = Date.now()
  readonly #waits: Waits
  #session = 0n
  #timeout = 0
  /** Nothing is read until half of what was asked is answered. */
  #held = false

  constructor(tcp: TcpPipe, terms: Terms) {
    this.#tcp = tcp
    this.#terms = terms
    this.#waits = new Waits(terms.traffic)
    tcp.onframe = (frame) => {
      this.#waits.asked(frame, performance.now())
      this.#regulate()
      this.onframe?.(frame)
    }
    tcp.onclose = (reason) => {
      terms.closed()
      this.onclose?.(reason)
    }
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#waits.sent === 0 && frame.length >= 20) this.#established(frame)
    this.#waits.told(frame, performance.now())
    this.#regulate()
    this.#tcp.send(frame)
    if (this.#tcp.bufferedBytes > LIMITS.linkQueueBytesMax) this.#tcp.close()
  }

  close(): void {
    this.#tcp.close()
  }

  counted(): Counted {
    return {
      address: this.#terms.address,
      received: this.#waits.received,
      sent: this.#waits.sent,
      outstanding: this.#waits.outstanding,
      session: this.#session,
      timeout: this.#timeout,
      since: this.#since,
    }
  }

  #regulate(): void {
    const { outstanding, outstandingBytes } = this.#waits
    const full = Math.max(
      outstanding / LIMITS.requestsOutstandingMax,
      outstandingBytes / LIMITS.requestsOutstandingBytesMax,
    )
    if (this.#held ? full > 0.5 : full <= 1) return
    this.#held = !this.#held
    if (this.#held) this.#tcp.pause()
    else this.#tcp.resume()
  }

  /** The connect response: length, protocol version, timeout, session. */
  #established(frame: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(frame.buffer, frame.byteOffset)
    this.#timeout = view.getInt32(8)
    this.#session = view.getBigInt64(12)
    this.#terms.established()
  }
}
