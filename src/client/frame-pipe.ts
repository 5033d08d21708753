/**
 * One connection between a client and a replica (or a ZooKeeper server): an ordered pipe of whole frames. A frame from the
 * client may hold several requests, each with ZooKeeper's 4-byte length in front; so may a frame to it.
 */
export interface FramePipe {
  send(frame: Uint8Array<ArrayBuffer>): void
  close(): void
  onframe: ((frame: Uint8Array) => void) | null
  /** Called once, whoever closed. */
  onclose: ((reason: string) => void) | null
}

/**
 * Opens a new connection; rejects if none can be had now, and with a KeeperError `SessionExpired` if none can be had ever again (the
 * client is lost then). Called again after each loss.
 */
export type Connector = () => Promise<FramePipe>
