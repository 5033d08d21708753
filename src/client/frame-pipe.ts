/**
 * One connection between a client and a replica (or a ZooKeeper server): an ordered pipe of whole frames. A frame from the
 * client may hold several requests, each with ZooKeeper's 4-byte length in front; so may a frame to it.
 */
export interface FramePipe {
  send(frame: Uint8Array<ArrayBuffer>): void
  close(): void
  onframe: ((frame: Uint8Array) => void) | null
  /** Called once, whoever closed. `full`: the other end takes no more clients at present. */
  onclose: ((reason: string, full?: boolean) => void) | null
}

/**
 * Opens a new connection; rejects if none can be had now, with a KeeperError `TooManySessions` if whoever is there takes no more clients
 * (a client without a session is lost then), and with `SessionExpired` if none can be had ever again (any client is). Called again after
 * each loss.
 */
export type Connector = () => Promise<FramePipe>
