import type { RawData, WebSocket } from 'ws'
import { splitPackets } from '../jute/packets.ts'
import { DecodeError } from '../jute/reader.ts'
import type { Address } from './address.ts'
import { connectTcp, type TcpPipe } from './tcp-pipe.ts'
import { Throttle } from './throttle.ts'

/** WebSocket close codes: what was sent makes no sense; the server beyond is not there. */
const NONSENSE = 1007
const NO_SERVER = 1013
/** Above this the faster side waits for the slower. */
const BUFFERED_BYTES_MAX = 1024 * 1024
const DIAL_MS = 5000

export interface BridgeTerms {
  readonly zookeeper: readonly Address[]
  readonly bytesPerSecond: number
  /** No server could be had. */
  readonly failed: () => void
}

/** One page's way to one server. Frames are whole packets both ways; when one side ends, so does the other. */
export function bridge(page: WebSocket, terms: BridgeTerms): void {
  let over = false
  page.binaryType = 'nodebuffer'
  // Until there is a server.
  page.pause()
  page.on('error', () => page.terminate())
  page.on('close', () => {
    over = true
  })
  dial(terms.zookeeper).then(
    (server) => {
      if (over) server.close()
      else join(page, server, terms.bytesPerSecond)
    },
    () => {
      terms.failed()
      page.resume()
      page.close(NO_SERVER, 'no ZooKeeper server can be reached')
    },
  )
}

/** The servers in an order by lot, one after the other. */
async function dial(servers: readonly Address[]): Promise<TcpPipe> {
  const waiting = [...servers]
  for (;;) {
    const [{ host, port }] = waiting.splice(Math.floor(Math.random() * waiting.length), 1) as [Address]
    try {
      return await connectTcp(host, port, { timeout: DIAL_MS })
    } catch (error) {
      if (waiting.length === 0) throw error
    }
  }
}

function join(page: WebSocket, server: TcpPipe, bytesPerSecond: number): void {
  const up = new Throttle(bytesPerSecond, { pause: () => page.pause(), resume: () => page.resume() })
  const down = new Throttle(bytesPerSecond, { pause: () => server.pause(), resume: () => server.resume() })
  const end = (): void => {
    up.stop()
    down.stop()
  }
  page.on('message', (data, isBinary) => {
    const frame = isBinary ? bytesOf(data) : null
    if (frame === null || !isWhole(frame)) {
      page.close(NONSENSE, 'a frame must hold whole packets')
      server.close()
      return
    }
    up.passed(frame.length)
    server.send(frame)
    if (server.bufferedBytes > BUFFERED_BYTES_MAX) up.hold()
  })
  server.ondrain = () => up.release()
  page.on('close', () => {
    end()
    server.close()
  })
  server.onframe = (frame) => {
    down.passed(frame.length)
    page.send(frame, () => {
      if (page.bufferedAmount <= BUFFERED_BYTES_MAX) down.release()
    })
    if (page.bufferedAmount > BUFFERED_BYTES_MAX) down.hold()
  }
  server.onclose = (reason) => {
    end()
    // A page that was slowed down must still hear that it is over.
    page.resume()
    page.close(1000, reason.slice(0, 100))
  }
  page.resume()
}

function bytesOf(data: RawData): Uint8Array<ArrayBuffer> | null {
  if (!(data instanceof Uint8Array)) return null
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length)
}

function isWhole(frame: Uint8Array): boolean {
  try {
    return splitPackets(frame, frame.length).length > 0
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}
