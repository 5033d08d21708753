import { KeeperError } from '../base/errors.ts'
import { NO_SESSION, type SessionId } from '../base/ids.ts'
import { ZXID_NONE, type Zxid } from '../base/zxid.ts'
import type { ConnectResponse, WatcherEvent } from '../jute/headers.ts'
import type { ClientState, StateChange } from './api.ts'
import { Backoff } from './backoff.ts'
import type { FailureCode, PendingCall } from './call.ts'
import type { Clock } from './clock.ts'
import { Connection } from './connection.ts'
import { Credentials } from './credentials.ts'
import type { Connector, FramePipe } from './frame-pipe.ts'

const NO_PASSWORD = new Uint8Array(16)

export interface SessionTerms {
  readonly clock: Clock
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Asked for, milliseconds. */
  readonly timeout: number
  readonly touchedByHost: boolean
  /** To take over a session that another client had. */
  readonly resume: { readonly id: SessionId; readonly password: Uint8Array } | undefined
  readonly event: (event: WatcherEvent, zxid: number) => void
  /** Packets that arm the watches again, for a new connection. */
  readonly rewatch: (lastZxid: Zxid) => readonly Uint8Array[]
  readonly changed: (change: StateChange) => void
}

/** A session over one connection after another: its state, the requests that wait for a connection, and its end. */
export class Session {
  readonly #connector: Connector
  readonly #terms: SessionTerms
  readonly #backoff: Backoff
  readonly #credentials = new Credentials()
  #state: ClientState = 'connecting'
  #id: SessionId
  #password: Uint8Array
  #timeout: number
  #lastZxid: Zxid = ZXID_NONE
  #connection: Connection | null = null
  #waiting: PendingCall[] = []
  #flushing = false
  #closing = false
  #deadline: number | null = null
  #cancelDeadline: (() => void) | null = null
  #end: { readonly code: FailureCode; readonly reason: string } | null = null

  constructor(connector: Connector, terms: SessionTerms) {
    this.#connector = connector
    this.#terms = terms
    this.#id = terms.resume?.id ?? NO_SESSION
    this.#password = terms.resume?.password ?? NO_PASSWORD
    this.#timeout = terms.timeout
    this.#backoff = new Backoff(terms.clock, terms.random, terms.touchedByHost)
  }

  get state(): ClientState {
    return this.#state
  }
  get id(): SessionId {
    return this.#id
  }
  get password(): Uint8Array {
    return this.#password
  }
  get timeout(): number {
    return this.#timeout
  }
  get lastZxid(): Zxid {
    return this.#lastZxid
  }

  /** Of a session that is over: why. */
  get endCode(): FailureCode {
    return this.#end?.code ?? 'Closed'
  }

  start(): void {
    void this.#connect()
  }

  /** Sends it with all others of this turn, or as soon as there is a connection. */
  submit(call: PendingCall): void {
    if (this.#end !== null) call.fail(this.#end.code, this.#end.reason)
    else if (this.#closing) call.fail('Closed', 'the client is closing')
    else {
      this.#waiting.push(call)
      this.#flushSoon()
    }
  }

  authenticate(scheme: string, auth: Uint8Array): Promise<void> {
    if (this.#end !== null) return Promise.reject(new KeeperError(this.#end.code, this.#end.reason))
    // What was asked for before goes out before, with the rights of then.
    this.#flush()
    const { packet, answered } = this.#credentials.add(scheme, auth)
    if (this.#connection !== null && this.#state === 'connected') {
      this.#credentials.sentLast()
      this.#connection.addSpecial(packet)
      this.#flushSoon()
    }
    return answered
  }

  /** Sends `farewell` (closeSession) where there is a connection, waits for its answer, and ends. */
  async close(farewell: PendingCall, answered: Promise<unknown>): Promise<void> {
    if (this.#end !== null || this.#closing) return
    if (this.#connection === null || this.#state !== 'connected') {
      this.finish('Closed', 'closed by its owner')
      return
    }
    this.#waiting.push(farewell)
    this.#flush()
    this.#connection.flush()
    this.#closing = true
    const cancel = this.#terms.clock.after(this.#timeout, () => farewell.fail('ConnectionLoss', 'no answer'))
    await answered.catch(() => undefined)
    cancel()
    this.finish('Closed', 'closed by its owner')
  }

  /** The end, for this reason. Only the first counts. */
  finish(code: FailureCode, reason: string): void {
    if (this.#end !== null) return
    this.#end = { code, reason }
    this.#state = code === 'Closed' ? 'closed' : 'lost'
    this.#backoff.stop()
    this.#clearDeadline()
    this.#connection?.end(reason)
    this.#connection = null
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) call.fail(code, reason)
    this.#credentials.end(new KeeperError(code, reason))
    this.#tell(reason)
  }

  async #connect(): Promise<void> {
    let pipe: FramePipe
    try {
      pipe = await this.#connector()
    } catch (error) {
      if (error instanceof KeeperError && error.code === 'SessionExpired') this.finish('SessionExpired', error.message)
      else this.#retry()
      return
    }
    if (this.#end !== null) {
      pipe.close()
      return
    }
    const connection = new Connection(
      pipe,
      {
        established: (response) => this.#established(connection, response),
        replied: (zxid) => {
          this.#lastZxid = zxid as Zxid
        },
        event: (event, zxid) => this.#terms.event(event, zxid),
        authenticated: (err) => {
          if (err === 0) this.#credentials.accepted()
          else this.finish('AuthFailed', 'the server refused the credentials')
        },
        lost: (reason, again) => this.#lost(reason, again),
      },
      {
        protocolVersion: 0,
        lastZxidSeen: this.#lastZxid,
        timeOut: this.#terms.timeout,
        sessionId: this.#id,
        passwd: this.#password,
        readOnly: false,
      },
      {
        clock: this.#terms.clock,
        pings: !this.#terms.touchedByHost,
        patience: Math.max(1000, this.#timeout / 3),
      },
    )
    this.#connection = connection
    connection.open()
  }

  #established(connection: Connection, response: ConnectResponse): void {
    if (response.timeOut <= 0) {
      this.finish('SessionExpired', 'the session is over')
      return
    }
    this.#id = response.sessionId
    this.#password = response.passwd.slice()
    this.#timeout = response.timeOut
    this.#state = 'connected'
    this.#clearDeadline()
    this.#backoff.succeeded()
    for (const packet of this.#credentials.introduce()) connection.addSpecial(packet)
    for (const packet of this.#terms.rewatch(this.#lastZxid)) connection.addSpecial(packet)
    this.#flush()
    connection.flush()
    this.#tell('connected')
  }

  #lost(reason: string, again: readonly PendingCall[]): void {
    this.#connection = null
    if (this.#end !== null || this.#closing) {
      const { code, reason: why } = this.#end ?? { code: 'ConnectionLoss', reason }
      for (const call of again) call.fail(code, why)
      return
    }
    // In their order, before what was asked for later.
    this.#waiting.unshift(...again)
    if (this.#state === 'connected') {
      this.#state = 'suspended'
      this.#deadline = this.#terms.clock.now() + this.#timeout
      this.#cancelDeadline = this.#terms.clock.after(this.#timeout, () =>
        this.finish('SessionExpired', 'no connection for a whole session timeout'),
      )
      this.#tell(reason)
    }
    this.#retry()
  }

  #retry(): void {
    if (this.#end === null) this.#backoff.after(() => void this.#connect())
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      this.#flush()
      this.#connection?.flush()
    })
  }

  /** Into the frame being built. */
  #flush(): void {
    if (this.#connection === null || this.#state !== 'connected') return
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) if (!call.done) this.#connection.add(call)
  }

  #clearDeadline(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = null
    this.#deadline = null
  }

  #tell(reason: string): void {
    this.#terms.changed({ state: this.#state, reason, deadline: this.#deadline })
  }
}
