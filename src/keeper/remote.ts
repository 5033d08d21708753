import { KeeperError } from '../base/errors.ts'
import type { ZnodeClient } from '../client/api.ts'
import type { Connector } from '../client/frame-pipe.ts'
import { webSocketPipe } from '../client/web-socket-pipe.ts'
import type { Inspection } from './api.ts'
import { AwakeClock } from './awake-clock.ts'
import type { Backing } from './backing.ts'
import { inspectClient } from './client-inspection.ts'

/** Servers elsewhere, behind a WebSocket proxy: no replica, no mesh, no storage. This page is a client and nothing else. */
export class Remote implements Backing {
  readonly id: string
  readonly touchedByHost = false
  readonly clock = new AwakeClock()
  readonly connect: Connector
  readonly lateNotice: Backing['lateNotice']
  readonly failure = null
  readonly #name: string
  /** Without what may be secret. */
  readonly #server: string

  constructor(ensemble: string, server: string) {
    this.#name = ensemble
    const { protocol, host, pathname } = new URL(server)
    this.#server = `${protocol}//${host}${pathname}`
    this.id = crypto.randomUUID()
    this.connect = webSocketPipe(server, (url) => new WebSocket(url))
    this.lateNotice = {
      code: 'LinkFailed',
      message: `No session yet: ${this.#server} cannot be reached or does not answer.`,
    }
  }

  async join(): Promise<void> {}

  async invitation(): Promise<never> {
    throw new KeeperError('Unsupported', 'A page that is only a client of servers cannot invite members.')
  }

  async holdSession(): Promise<void> {}

  inspect(client: ZnodeClient): Promise<Inspection> {
    return inspectClient(client, { ensemble: this.#name, ensembleId: '', server: this.#server })
  }

  stepDown(): Promise<void> {
    return Promise.reject(notHere('stepDown'))
  }

  giveUp(): Promise<never> {
    return Promise.reject(notHere('recover'))
  }

  reconfig(): Promise<void> {
    return Promise.reject(notHere('reconfig'))
  }

  async close(): Promise<void> {
    this.clock.close()
  }
}

const notHere = (method: string): KeeperError =>
  new KeeperError('Unsupported', `${method} is for ensembles of pages: this keeper is a client of servers elsewhere.`)
