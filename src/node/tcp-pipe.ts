import { connect, type Socket } from 'node:net'
import type { FramePipe } from '../client/frame-pipe.ts'

/** No answer in ZooKeeper's client protocol is near this size (jute.maxbuffer is 1 MiB); a longer one is garbage. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/**
 * A connection to a ZooKeeper server, or to anything that speaks its client protocol over TCP. Rejects if it cannot be had.
 * A frame that arrives holds whole packets, each still with its 4-byte length.
 */
export function connectTcp(host: string, port: number, options: ConnectOptions = {}): Promise<TcpPipe> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    socket.once('error', reject)
    socket.setTimeout(options.timeout ?? 0, () => socket.destroy(new Error(`no answer from ${host}:${port}`)))
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.setTimeout(0)
      resolve(new TcpPipe(socket))
    })
  })
}

export interface ConnectOptions {
  /** Milliseconds; default: the system's patience. */
  readonly timeout?: number
}

export interface TcpPipeTerms {
  /** Of a packet that comes in; default 16 MiB. */
  readonly packetBytesMax?: number
  /** Who is at the other end; default: the server. */
  readonly peer?: string
  /**
   * While this many bytes wait to leave, nothing is read: who does not read answers can ask nothing more. Default: no limit.
   */
  readonly unreadBytesMax?: number
}

/** A frame pipe over a socket that is connected. */
export class TcpPipe implements FramePipe {
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  /** Everything that was sent has left. */
  ondrain: (() => void) | null = null
  readonly #socket: Socket
  readonly #packetBytesMax: number
  readonly #unreadBytesMax: number
  readonly #peer: string
  /** The start of a packet whose end has not come. */
  #rest: Buffer[] = []
  #restBytes = 0
  /** Bytes that `#rest` must reach before it can hold a whole packet. */
  #needed = 4
  #closed = false
  /** Why nothing is read: too much waits to leave; somebody asked for it. */
  #full = false
  #paused = false

  constructor(socket: Socket, terms: TcpPipeTerms = {}) {
    this.#socket = socket
    this.#packetBytesMax = terms.packetBytesMax ?? ANSWER_BYTES_MAX
    this.#unreadBytesMax = terms.unreadBytesMax ?? Number.POSITIVE_INFINITY
    this.#peer = terms.peer ?? 'the server'
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end(`${this.#peer} closed the connection`))
    socket.on('drain', () => {
      this.#full = false
      this.#flow()
      this.ondrain?.()
    })
  }

  /** Bytes that wait to leave. */
  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return
    this.#socket.write(frame)
    if (this.#full || this.#socket.writableLength <= this.#unreadBytesMax) return
    this.#full = true
    this.#flow()
  }

  /** What was sent still leaves, if the other end reads it within a second. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const socket = this.#socket
    socket.end(() => socket.destroy())
    setTimeout(() => socket.destroy(), 1000).unref()
    this.onclose?.('closed')
  }

  /** Nothing is read until `resume`. */
  pause(): void {
    this.#paused = true
    this.#flow()
  }

  resume(): void {
    this.#paused = false
    this.#flow()
  }

  #flow(): void {
    if (this.#full || this.#paused) this.#socket.pause()
    else this.#socket.resume()
  }

  #received(chunk: Buffer): void {
    if (this.#closed) return
    this.#rest.push(chunk)
    this.#restBytes += chunk.length
    if (this.#restBytes < this.#needed) return
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest, this.#restBytes)
    let whole = 0
    this.#needed = 4
    while (bytes.length - whole >= 4) {
      const length = bytes.readInt32BE(whole)
      if (length < 0 || length > this.#packetBytesMax) {
        return this.#end(`${this.#peer} sent a packet of ${length} bytes`)
      }
      this.#needed = length + 4
      if (bytes.length - whole < this.#needed) break
      whole += this.#needed
      this.#needed = 4
    }
    const rest = bytes.subarray(whole)
    this.#rest = rest.length > 0 ? [rest] : []
    this.#restBytes = rest.length
    // No Buffer: the `slice` of one is no copy, which those behind the pipe count on.
    if (whole > 0) this.onframe?.(new Uint8Array(bytes.buffer, bytes.byteOffset, whole))
  }

  #end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.onclose?.(reason)
  }
}
