import { EMPTY } from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'
import type { ByteLink } from './byte-link.ts'

/** What is used of a MessagePort; Node's has it too. */
export interface Port {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onmessageerror: ((event: never) => void) | null
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'close', listener: () => void): void
  close(): void
}

/**
 * Frames over a MessagePort, whose own queue tells nothing of its length. Three kinds of messages, in both directions:
 * an ArrayBuffer is a frame; a number, bytes that the other side has taken (credit, given every 64 KiB); a string, the
 * reason why it closed. A frame's buffer is transferred.
 */
export const messagePortLink = (port: Port): ByteLink => new MessagePortLink(port)

const CREDIT_BYTES = 64 * 1024
const LOW_WATER = LIMITS.linkBufferedBytesMax / 4

class MessagePortLink implements ByteLink {
  readonly frameBytesMax = LIMITS.frameBytesMax
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  ondrain: (() => void) | null = null
  readonly #port: Port
  #buffered = 0
  #taken = 0
  #open = true

  constructor(port: Port) {
    this.#port = port
    port.onmessage = ({ data }) => this.#heard(data)
    port.onmessageerror = () => this.close('message could not be read')
    // Not everywhere; where it is missing, the silence of the peer is noticed instead.
    port.addEventListener('close', () => this.#ended('port closed'))
  }

  /** Sent and not yet credited: up to 64 KiB too many. */
  get bufferedBytes(): number {
    return this.#buffered
  }

  send(frame: Uint8Array): void {
    if (!this.#open) return
    const whole = frame.byteLength === frame.buffer.byteLength && frame.buffer instanceof ArrayBuffer
    const buffer = (whole ? frame.buffer : frame.slice().buffer) as ArrayBuffer
    this.#buffered += buffer.byteLength
    this.#port.postMessage(buffer, [buffer])
  }

  close(reason: string): void {
    if (!this.#open) return
    this.#port.postMessage(reason, [])
    this.#ended(reason)
  }

  #heard(data: unknown): void {
    if (!this.#open) return
    if (data instanceof ArrayBuffer) {
      this.#taken += data.byteLength
      if (this.#taken >= CREDIT_BYTES) {
        this.#port.postMessage(this.#taken, [])
        this.#taken = 0
      }
      this.onframe?.(new Uint8Array(data))
    } else if (typeof data === 'number' && Number.isInteger(data) && data > 0 && data <= this.#buffered) {
      const above = this.#buffered >= LOW_WATER
      this.#buffered -= data
      if (above && this.#buffered < LOW_WATER) this.ondrain?.()
    } else if (typeof data === 'string') {
      this.#ended(data)
    } else {
      // As an empty frame, which no framing allows, it ends the link as a bad peer's.
      this.onframe?.(EMPTY)
    }
  }

  #ended(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#port.close()
    this.onclose?.(reason)
  }
}
