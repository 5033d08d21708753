import { KeeperError } from '../base/errors.ts'
import { NO_SESSION, type SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { ADDITIONS_VERSION, type ConnectResponse, type WatcherEvent } from '../jute/headers.ts'
import type { ClientState, StateChange } from './api.ts'
import { Backoff } from './backoff.ts'
import type { FailureCode, PendingCall } from './call.ts'
import type { Clock } from './clock.ts'
import { Connection } from './connection.ts'
import { Credentials } from './credentials.ts'
import type { Connector, FramePipe } from './frame-pipe.ts'
import { Numbering } from './numbering.ts'
import { type AskOffline, OfflineReads } from './offline-reads.ts'
import { Position } from './position.ts'

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
  /** Offers nothing beyond ZooKeeper's protocol. */
  readonly plain: boolean
  /** Reads are answered by it while suspended. */
  readonly askOffline: AskOffline | undefined
  /** Packets that arm the watches again, for a new connection; `resumes`: and tell what happened after `since`. */
  readonly rewatch: (since: Zxid, resumes: boolean) => readonly Uint8Array[]
  /** What happened between two connections has been told, or (false) cannot be. */
  readonly resumed: (all: boolean) => void
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
  readonly #numbering: Numbering
  readonly #position = new Position()
  #resumes = false
  #connection: Connection | null = null
  #waiting: PendingCall[] = []
  readonly #offline: OfflineReads | null
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
    this.#numbering = new Numbering(terms.random)
    const suspended = (): boolean => this.#state === 'suspended'
    const dropDone = (): void => {
      this.#waiting = this.#waiting.filter((call) => !call.done)
    }
    this.#offline =
      terms.askOffline === undefined
        ? null
        : new OfflineReads(terms.askOffline, suspended, () => this.lastZxid, dropDone)
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
    return this.#position.lastZxid
  }

  /** Did the last connection negotiate that watches go on where they were? */
  get resumes(): boolean {
    return this.#resumes
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
      if (this.#state === 'suspended') this.#offline?.add(call)
      else this.#flushSoon()
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
      const code = error instanceof KeeperError ? error.code : null
      const reason = error instanceof Error ? error.message : String(error)
      if (code === 'SessionExpired') this.finish(code, reason)
      else if (code !== 'TooManySessions' || !this.#refused(reason)) this.#retry()
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
          this.#position.replied(zxid as Zxid)
          if (this.#waiting.length > 0) this.#flushSoon()
        },
        event: (event, zxid) => {
          if (this.#position.isNews(event, zxid)) this.#terms.event(event, zxid)
        },
        resumed: (all) => this.#terms.resumed(all),
        authenticated: (err) => {
          if (err === 0) this.#credentials.accepted()
          else this.finish('AuthFailed', 'the server refused the credentials')
        },
        lost: (reason, again, full) => {
          if (!full || !this.#refused(reason)) this.#lost(reason, again)
        },
      },
      {
        protocolVersion: 0,
        lastZxidSeen: this.#position.lastZxid,
        timeOut: this.#terms.timeout,
        sessionId: this.#id,
        passwd: this.#password,
        readOnly: false,
        ...(this.#terms.plain ? {} : { offer: { version: ADDITIONS_VERSION, line: this.#numbering.line } }),
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

  /** Whoever has a session looks for a place until its time is over; a new client is told, and may ask again. */
  #refused(reason: string): boolean {
    if (this.#id !== NO_SESSION) return false
    this.finish('TooManySessions', reason)
    return true
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
    this.#resumes = response.grant !== undefined
    if (response.grant?.continued !== true) this.#forgetNumbers()
    if (this.#resumes) connection.number(this.#numbering)
    for (const packet of this.#credentials.introduce()) connection.addSpecial(packet)
    if (this.#resumes) this.#position.resumed()
    const since = this.#resumes ? this.#position.resumeFrom : this.#position.lastZxid
    for (const packet of this.#terms.rewatch(since, this.#resumes)) connection.addSpecial(packet)
    this.#flush()
    connection.flush()
    this.#tell('connected')
  }

  /** What was asked under numbers that the server does not know is in doubt; the rest is asked as if for the first time. */
  #forgetNumbers(): void {
    this.#numbering.restart()
    for (const call of this.#waiting) {
      if (call.uncertain) call.fail('ConnectionLoss', 'nobody knows whether it was done')
      call.number = 0
    }
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
      if (this.#offline !== null) for (const call of this.#waiting) this.#offline.add(call)
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
    let sent = 0
    for (const call of this.#waiting) {
      if (!call.done) {
        if (this.#connection.isFullFor(call)) break
        this.#connection.add(call)
      }
      sent++
    }
    this.#waiting.splice(0, sent)
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
