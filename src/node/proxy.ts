import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { NO_PLACE } from '../client/web-socket-pipe.ts'
import { type Address, plainAddress } from './address.ts'
import { admission, type Refusal } from './proxy-admission.ts'
import { bridge } from './proxy-bridge.ts'

export interface ProxyOptions {
  readonly listen: Address
  /** The servers of the ensemble; each connection takes one of them, by lot. */
  readonly zookeeper: readonly Address[]
  /** Origins of pages that may connect, as `https://example.org`. Default: any. Programs that send no origin may always. */
  readonly origins?: readonly string[]
  /** Whoever connects must know it: `?token=…`, or a subprotocol `token.…` beside `tabkeeper`. Default: nobody is asked. */
  readonly token?: string
  /** Default 60. */
  readonly connectionsPerAddress?: number
  /** Of one WebSocket message. Default 1 MiB and its headers, so one packet of the largest size. */
  readonly frameBytesMax?: number
  /** Per connection and direction; who sends more is read more slowly. Default: no limit. */
  readonly bytesPerSecond?: number
}

const PROTOCOL = 'tabkeeper'
const FRAME_BYTES_MAX = 2 * 1024 * 1024
const CONNECTIONS_PER_ADDRESS = 60

/**
 * Pages reach a ZooKeeper ensemble: each WebSocket connection gets one TCP connection, and bytes go through as whole frames. The
 * proxy understands nothing of them but their length; sessions, ACLs and watches are the server's. `GET /health` tells how it is.
 */
export class WebSocketProxy {
  readonly #http: Server
  readonly #options: ProxyOptions
  readonly #sockets: WebSocketServer
  readonly #admit: (request: IncomingMessage) => Refusal | null
  readonly #byAddress = new Map<string, number>()
  #address: Address
  #failures = 0

  /** Resolves when it listens; rejects as a listening socket does. */
  static start(options: ProxyOptions): Promise<WebSocketProxy> {
    const proxy = new WebSocketProxy(options)
    return new Promise((resolve, reject) => {
      proxy.#http.once('error', reject)
      proxy.#http.listen(options.listen.port, options.listen.host, () => {
        proxy.#http.off('error', reject)
        const bound = proxy.#http.address()
        if (bound !== null && typeof bound !== 'string') proxy.#address = { ...options.listen, port: bound.port }
        resolve(proxy)
      })
    })
  }

  private constructor(options: ProxyOptions) {
    this.#options = options
    this.#address = options.listen
    this.#admit = admission(options)
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.frameBytesMax ?? FRAME_BYTES_MAX,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    })
    this.#http = createServer((request, response) => this.#answer(request, response))
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** With the port that it really has. */
  get address(): Address {
    return this.#address
  }

  /** Pages that are connected now. */
  get connections(): number {
    return this.#sockets.clients.size
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve))
    for (const socket of this.#sockets.clients) socket.close(1001, 'the proxy ends')
    const cut = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate()
      this.#http.closeAllConnections()
    }, 500)
    this.#sockets.close()
    await closed
    clearTimeout(cut)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Not every request line holds a URL.
    const asked = request.url ?? '/'
    const pathname = URL.canParse(asked, 'http://proxy') ? new URL(asked, 'http://proxy').pathname : ''
    if (pathname !== '/health') {
      response.writeHead(pathname === '/' ? 426 : 404, { 'content-type': 'text/plain' }).end('a WebSocket is needed\n')
      return
    }
    const health = { status: 'ok', connections: this.connections, failures: this.#failures }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(`${JSON.stringify(health)}\n`)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const address = plainAddress(request.socket.remoteAddress)
    const open = this.#byAddress.get(address) ?? 0
    const places = this.#options.connectionsPerAddress ?? CONNECTIONS_PER_ADDRESS
    const refusal = open >= 2 * places ? ('429 Too Many Requests' as const) : this.#admit(request)
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    this.#byAddress.set(address, open + 1)
    socket.once('close', () => {
      const left = (this.#byAddress.get(address) ?? 1) - 1
      if (left > 0) this.#byAddress.set(address, left)
      else this.#byAddress.delete(address)
    })
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (open >= places) return refuse(webSocket)
      bridge(webSocket, {
        zookeeper: this.#options.zookeeper,
        bytesPerSecond: this.#options.bytesPerSecond ?? Number.POSITIVE_INFINITY,
        failed: () => void this.#failures++,
      })
    })
  }
}

/** A page learns nothing of a refused handshake but that it failed; so it is told afterwards, and has a moment to hear it. */
function refuse(page: WebSocket): void {
  page.on('error', () => page.terminate())
  page.close(NO_PLACE.code, NO_PLACE.reason)
  const cut = setTimeout(() => page.terminate(), 1000)
  page.on('close', () => clearTimeout(cut))
}
