/**
 * An ordered, reliable pipe of byte frames to one peer: a data channel in the worker, a MessagePort that the page relays,
 * a pair in memory. FIFO; no frame after `onclose`. Names nothing of the platform's.
 */
export interface ByteLink {
  /** The largest frame that `send` takes, bytes. */
  readonly frameBytesMax: number
  /** Bytes handed to `send` that have not left yet. */
  readonly bufferedBytes: number
  /** Queues one frame. Never blocks, never throws: a link that cannot send closes. */
  send(frame: Uint8Array): void
  close(reason: string): void
  onframe: ((frame: Uint8Array) => void) | null
  /** Called once, whoever closed. */
  onclose: ((reason: string) => void) | null
  /** `bufferedBytes` fell below the low-water mark: send more. */
  ondrain: (() => void) | null
}
