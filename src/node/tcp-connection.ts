import { LIMITS } from '../base/limits.ts'
import type { ClientPipe } from '../replica/api.ts'
import type { TcpPipe } from './tcp-pipe.ts'

/** One client's connection, for `cons`. */
export interface Counted {
  /** `address:port`. */
  readonly address: string
  /** Packets. */
  readonly received: number
  readonly sent: number
  /** Bytes of answers that it has not read. */
  readonly unread: number
  /** 0n until it is there. */
  readonly session: bigint
  /** Negotiated, milliseconds. */
  readonly timeout: number
  /** Wall clock, milliseconds. */
  readonly since: number
}

interface Terms {
  readonly address: string
  /** The handshake is answered. */
  readonly established: () => void
  readonly closed: () => void
}

/** A client's pipe that counts, and reads in the first answer which session it is. A client that reads nothing is closed. */
export class CountedPipe implements ClientPipe {
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  readonly #tcp: TcpPipe
  readonly #terms: Terms
  readonly #since = Date.now()
  #received = 0
  #sent = 0
  #session = 0n
  #timeout = 0

  constructor(tcp: TcpPipe, terms: Terms) {
    this.#tcp = tcp
    this.#terms = terms
    tcp.onframe = (frame) => {
      this.#received += packetsIn(frame)
      this.onframe?.(frame)
    }
    tcp.onclose = (reason) => {
      terms.closed()
      this.onclose?.(reason)
    }
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#sent === 0 && frame.length >= 20) this.#established(frame)
    this.#sent += packetsIn(frame)
    this.#tcp.send(frame)
    if (this.#tcp.bufferedBytes > LIMITS.linkQueueBytesMax) this.#tcp.close()
  }

  close(): void {
    this.#tcp.close()
  }

  counted(): Counted {
    return {
      address: this.#terms.address,
      received: this.#received,
      sent: this.#sent,
      unread: this.#tcp.bufferedBytes,
      session: this.#session,
      timeout: this.#timeout,
      since: this.#since,
    }
  }

  /** The connect response: length, protocol version, timeout, session. */
  #established(frame: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(frame.buffer, frame.byteOffset)
    this.#timeout = view.getInt32(8)
    this.#session = view.getBigInt64(12)
    this.#terms.established()
  }
}

function packetsIn(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  let count = 0
  for (let at = 0; at + 4 <= frame.length; at += 4 + view.getInt32(at)) count++
  return count
}
