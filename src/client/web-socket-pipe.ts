import { KeeperError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { splitPackets } from '../jute/packets.ts'
import type { Connector, FramePipe } from './frame-pipe.ts'

/** What is used of a WebSocket: the platform's, or one of a Node package. */
export interface PipeSocket {
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
}

const LENGTH_BYTES = 4
/** A WebSocket's close code: try again later. With this reason, the proxy has no place for this address. */
export const NO_PLACE = { code: 1013, reason: 'too many connections' } as const

/**
 * Connections to a ZooKeeper ensemble behind a WebSocket proxy (`tabkeeper proxy`): frames as binary messages. `open` makes the
 * socket, `(url) => new WebSocket(url)`. Rejects as long as none can be had; the client asks again.
 */
export const webSocketPipe =
  (url: string, open: (url: string) => PipeSocket): Connector =>
  () =>
    new Promise((resolve, reject) => {
      const socket = open(url)
      socket.binaryType = 'arraybuffer'
      const refused = (): void => reject(new KeeperError('ConnectionLoss', 'the WebSocket could not be opened'))
      socket.onerror = refused
      socket.onclose = refused
      socket.onopen = () => resolve(pipeOver(socket))
    })

/** Over a socket that is open. */
function pipeOver(socket: PipeSocket): FramePipe {
  let over = false
  const end = (reason: string, full = false): void => {
    if (over) return
    over = true
    socket.onmessage = null
    socket.close()
    pipe.onclose?.(reason, full)
  }
  const pipe: FramePipe = {
    send: (frame) => {
      if (over) return
      if (frame.length <= LIMITS.packetBytesMax) socket.send(frame)
      else for (const part of parts(frame)) socket.send(part)
    },
    close: () => end('closed'),
    onframe: null,
    onclose: null,
  }
  socket.onerror = null
  socket.onclose = ({ code, reason }: { readonly code?: number; readonly reason?: string } = {}) =>
    end(reason || 'the WebSocket closed', code === NO_PLACE.code && reason === NO_PLACE.reason)
  socket.onmessage = ({ data }: { readonly data: unknown }) => {
    if (data instanceof ArrayBuffer) pipe.onframe?.(new Uint8Array(data))
    else end('a message that is no frame')
  }
  return pipe
}

/** A large frame in several, cut between packets: a proxy bounds what one message may hold. */
function* parts(frame: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  let from = 0
  let at = 0
  for (const packet of splitPackets(frame)) {
    const end = at + LENGTH_BYTES + packet.length
    if (at > from && end - from > LIMITS.packetBytesMax) {
      yield frame.subarray(from, at)
      from = at
    }
    at = end
  }
  if (at > from) yield frame.subarray(from, at)
}
