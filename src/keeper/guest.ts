import { KeeperError } from '../base/errors.ts'
import type { ZnodeClient } from '../client/api.ts'
import type { Connector } from '../client/frame-pipe.ts'
import { ClientCall } from '../mesh/client-call.ts'
import { openRelayedPair, openRtcPair } from '../mesh/rtc-pair.ts'
import { randomReplica } from '../signaling/scout.ts'
import type { Inspection } from './api.ts'
import { AwakeClock } from './awake-clock.ts'
import type { Backing } from './backing.ts'
import { inspectClient } from './client-inspection.ts'
import { IceSource } from './ice-source.ts'
import type { CheckedOptions } from './options.ts'
import type { ClientWires } from './wires.ts'

/** A member of the ensemble, whichever answers, behind a data channel. This page has no replica and no storage; its worker keeps time. */
export class Guest implements Backing {
  readonly id = crypto.randomUUID()
  readonly touchedByHost = false
  readonly clock = new AwakeClock()
  readonly lateNotice: Backing['lateNotice']
  readonly failure = null
  readonly #name: string
  readonly #wires: ClientWires
  readonly #call: ClientCall
  readonly #over = new AbortController()

  constructor(options: CheckedOptions, wires: ClientWires, warn: (message: string) => void) {
    this.#name = options.ensemble
    this.#wires = wires
    this.lateNotice = {
      code: 'LinkFailed',
      message: `No session with the ensemble "${options.ensemble}" yet: none of its members serves this page.`,
    }
    const ice = new IceSource(options.iceServers ?? [], warn)
    this.#call = new ClientCall({
      ...wires.clients,
      ensemble: options.join ?? null,
      self: randomReplica(),
      iceServers: () => ice.servers(),
      openPair: options.iceTransportPolicy === 'relay' ? openRelayedPair : openRtcPair,
      after: (ms, then) => this.clock.after(ms, then),
      chance: () => Math.random(),
    })
  }

  readonly connect: Connector = () => this.#call.connect()

  async join(): Promise<void> {
    await this.#call.join()
    // The member notices at once. A page that comes back calls again.
    addEventListener('pagehide', () => this.#call.hangUp(), { signal: this.#over.signal })
  }

  async holdSession(): Promise<void> {}

  inspect(client: ZnodeClient): Promise<Inspection> {
    const { ensemble, member } = this.#call
    return inspectClient(client, {
      ensemble: this.#name,
      ensembleId: ensemble ?? '',
      ...(member === null ? {} : { server: `replica ${member}` }),
    })
  }

  async invitation(): Promise<never> {
    throw new KeeperError('Unsupported', 'A page that is only a client cannot invite anybody.')
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
    this.#over.abort()
    this.#call.close()
    this.#wires.end()
    this.clock.close()
  }
}

const notHere = (method: string): KeeperError =>
  new KeeperError('Unsupported', `${method} is for members: this keeper is only a client.`)
