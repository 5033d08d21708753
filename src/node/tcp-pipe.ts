import { connect, type Socket } from 'node:net'
import type { FramePipe } from '../client/frame-pipe.ts'

/** No packet of ZooKeeper's client protocol is near this size (jute.maxbuffer is 1 MiB); a longer one is garbage. */
const MAX_PACKET = 16 * 1024 * 1024

/**
 * A connection to a ZooKeeper server, or to anything that speaks its client protocol over TCP. Rejects if it cannot be had.
 * A frame that arrives holds whole packets, each still with its 4-byte length.
 */
export function connectTcp(host: string, port: number): Promise<FramePipe> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(new TcpPipe(socket))
    })
  })
}

/** A frame pipe over a socket that is connected. */
export class TcpPipe implements FramePipe {
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  readonly #socket: Socket
  /** The start of a packet whose end has not come. */
  #rest: Buffer[] = []
  #restBytes = 0
  /** Bytes that `#rest` must reach before it can hold a whole packet. */
  #needed = 4
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end('the server closed the connection'))
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.#closed) this.#socket.write(frame)
  }

  close(): void {
    this.#end('closed')
  }

  #received(chunk: Buffer): void {
    this.#rest.push(chunk)
    this.#restBytes += chunk.length
    if (this.#closed || this.#restBytes < this.#needed) return
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest, this.#restBytes)
    let whole = 0
    this.#needed = 4
    while (bytes.length - whole >= 4) {
      const length = bytes.readInt32BE(whole)
      if (length < 0 || length > MAX_PACKET) return this.#end(`the server sent a packet of ${length} bytes`)
      this.#needed = length + 4
      if (bytes.length - whole < this.#needed) break
      whole += this.#needed
      this.#needed = 4
    }
    const rest = bytes.subarray(whole)
    this.#rest = rest.length > 0 ? [rest] : []
    this.#restBytes = rest.length
    if (whole > 0) this.onframe?.(bytes.subarray(0, whole))
  }

  #end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.onclose?.(reason)
  }
}
