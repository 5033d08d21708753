import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { checkOptions, refuse } from '../client/arguments.ts'
import type { Address } from './address.ts'
import { SignalDesk, type SignalHealth, type SignalOptions } from './signal-desk.ts'

/** A signaling server on somebody's HTTP server. */
export interface AttachedSignal {
  readonly health: SignalHealth
  /** Closes its connections and hears no more; the HTTP server goes on. Idempotent. */
  close(): void
}

/** Serves signaling beside whatever else `server` does. BadArguments: a path that no request has. */
export function attachSignal(server: Server, options: SignalOptions = {}): AttachedSignal {
  const { path } = checkOptions(options)
  if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/')))
    throw refuse('path', 'must start with /')
  const desk = new SignalDesk(options)
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (path !== undefined && pathOf(request) !== path) return
    desk.upgrade(request, socket, head).catch(() => socket.destroy())
  }
  server.on('upgrade', upgrade)
  return {
    get health() {
      return desk.health
    },
    close: () => {
      server.off('upgrade', upgrade)
      desk.close()
    },
  }
}

/** Never throws: what cannot be parsed has no path. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return URL.canParse(url, 'http://signal') ? new URL(url, 'http://signal').pathname : ''
}

/** A server of its own. `GET /health` tells how it is. */
export class SignalServer {
  readonly #http: Server
  readonly #attached: AttachedSignal
  #address: Address

  /** Resolves when it listens; rejects as a listening socket does. */
  static start(options: SignalOptions & { readonly listen: Address }): Promise<SignalServer> {
    const { listen } = options
    const server = new SignalServer(options)
    return new Promise((resolve, reject) => {
      server.#http.once('error', (error) => {
        server.#attached.close()
        reject(error)
      })
      server.#http.listen(listen.port, listen.host, () => {
        const bound = server.#http.address()
        if (bound !== null && typeof bound !== 'string') server.#address = { ...listen, port: bound.port }
        resolve(server)
      })
    })
  }

  private constructor(options: SignalOptions & { readonly listen: Address }) {
    this.#address = options.listen
    this.#http = createServer((request, response) => this.#answer(request, response))
    this.#attached = attachSignal(this.#http, options)
  }

  /** With the port that it really has. */
  get address(): Address {
    return this.#address
  }

  get health(): SignalHealth {
    return this.#attached.health
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve))
    this.#attached.close()
    const cut = setTimeout(() => this.#http.closeAllConnections(), 500)
    await closed
    clearTimeout(cut)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (pathOf(request) !== '/health') {
      const status = pathOf(request) === '/' ? 426 : 404
      response.writeHead(status, { 'content-type': 'text/plain' }).end('a WebSocket is needed\n')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(`${JSON.stringify(this.health)}\n`)
  }
}
