import { EMPTY } from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'
import type { ByteLink } from './byte-link.ts'

/**
 * A data channel that was transferred into this worker. Call it in the very task in which the channel arrived: handlers
 * attached later miss what came before.
 */
export const dataChannelLink = (channel: RTCDataChannel): ByteLink => new DataChannelLink(channel)

class DataChannelLink implements ByteLink {
  readonly frameBytesMax = LIMITS.frameBytesMax
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  ondrain: (() => void) | null = null
  readonly #channel: RTCDataChannel
  /** Given before the channel opened. */
  #early: Uint8Array<ArrayBuffer>[] = []
  #earlyBytes = 0
  #open = true

  constructor(channel: RTCDataChannel) {
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = LIMITS.linkBufferedBytesMax / 4
    channel.onopen = () => this.#opened()
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!this.#open) return
      // Text and blobs are not ours: as an empty frame, which no framing allows, they end the link as a bad peer's.
      this.onframe?.(data instanceof ArrayBuffer ? new Uint8Array(data) : EMPTY)
    }
    channel.onbufferedamountlow = () => {
      if (this.#open) this.ondrain?.()
    }
    channel.onclosing = () => this.#ended('data channel closing')
    channel.onclose = () => this.#ended('data channel closed')
    channel.onerror = () => this.#ended('data channel error')
    if (channel.readyState === 'closing' || channel.readyState === 'closed') {
      queueMicrotask(() => this.#ended('data channel closed'))
    }
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount + this.#earlyBytes
  }

  send(frame: Uint8Array): void {
    if (!this.#open) return
    const bytes = frame as Uint8Array<ArrayBuffer>
    if (this.#channel.readyState === 'connecting') {
      this.#early.push(bytes)
      this.#earlyBytes += bytes.length
      return
    }
    try {
      this.#channel.send(bytes)
    } catch (error) {
      this.close(`data channel cannot send: ${String(error)}`)
    }
  }

  close(reason: string): void {
    if (!this.#open) return
    this.#channel.close()
    this.#ended(reason)
  }

  #opened(): void {
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    for (const frame of early) this.send(frame)
    if (this.#open && early.length > 0) this.ondrain?.()
  }

  #ended(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#early = []
    this.onclose?.(reason)
  }
}
