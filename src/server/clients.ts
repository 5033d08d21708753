import { ERROR_CODES } from '../base/errors.ts'
import { NO_SESSION, type SessionId } from '../base/ids.ts'
import { keyChallenge } from '../base/key-proof.ts'
import { LIMITS, TIMES } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import { ADDITIONS_VERSION } from '../jute/headers.ts'
import { EVENT_TYPES, KEEPER_STATES, PERMISSIONS } from '../jute/opcodes.ts'
import { splitPackets } from '../jute/packets.ts'
import {
  decodeConnectRequest,
  decodeRequest,
  encodeConnectResponse,
  encodeError,
  encodeEvent,
  type Request,
} from '../jute/protocol.ts'
import { DecodeError } from '../jute/reader.ts'
import type { SimpleRequest } from '../jute/requests.ts'
import type { Txn } from '../jute/txns.ts'
import { allows } from '../tree/acl.ts'
import type { Applied, Change } from '../tree/apply.ts'
import { encodeLeaderRequest, type LeaderRequest } from '../tree/request.ts'
import type { State } from '../tree/state.ts'
import { type Answer, encodeAnswer, failed, nothing, writeAnswer } from './answers.ts'
import { identities } from './auth.ts'
import { Connection } from './connection.ts'
import { drawSession } from './draw.ts'
import type { ConnectionId, ConnectionInfo } from './orders.ts'
import type { Outbox } from './outbox.ts'
import { answerRead } from './reads.ts'
import { rearm, resume } from './rearm.ts'
import type { RecentChanges } from './recent.ts'
import type { Watches } from './watches.ts'

const REFUSED = { protocolVersion: 0, timeOut: 0, sessionId: NO_SESSION, passwd: new Uint8Array(16), readOnly: false }

/** In the place of the connect response, and followed by the connection's end: clients of earlier builds take it for garbage, and ask elsewhere. */
const NO_PLACE = encodeError({ xid: 0, zxid: 0, err: ERROR_CODES.ThrottledOp })

/** This replica's connections: frames in, and for each connection its replies in order. ZooKeeper: ServerCnxn, CommitProcessor. */
export class Clients {
  readonly watches: Watches
  readonly recent: RecentChanges
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #byOrigin = new Map<number, Connection>()
  readonly #bySession = new Map<SessionId, Connection>()
  readonly #residents = new Set<Connection>()
  readonly #syncs = new Map<number, Connection>()
  /** Sessions that began here for pages elsewhere and are not over, whether anybody is there or not. */
  readonly #ofGuests = new Set<SessionId>()
  readonly #out: Outbox
  readonly #superDigest: string | undefined
  readonly #heard: (session: SessionId, now: number) => void
  #nextTag = 1
  #serving = false
  #state: State

  constructor(
    state: State,
    out: Outbox,
    superDigest: string | undefined,
    heard: (session: SessionId, now: number) => void,
    watches: Watches,
    recent: RecentChanges,
  ) {
    this.watches = watches
    this.recent = recent
    this.#state = state
    this.#out = out
    this.#superDigest = superDigest
    this.#heard = heard
  }

  get size(): number {
    return this.#connections.size
  }

  /**
   * Sessions of this replica's own page, which lives and freezes with it: they are alive for as long as their port is open, asked or not. A page does not
   * ping, for browsers slow a hidden page's timers down to one a minute.
   */
  *residents(): Generator<SessionId> {
    for (const { phase, session } of this.#residents) if (phase === 'open') yield session
  }

  hasSession(session: SessionId): boolean {
    return this.#bySession.has(session)
  }

  serve(state: State, yes: boolean): void {
    this.#state = state
    this.#serving = yes
    for (const session of this.#ofGuests) if (state.sessions.get(session) === undefined) this.#ofGuests.delete(session)
    if (yes) return
    for (const connection of [...this.#connections.values()]) this.#close(connection, 'not serving')
    this.#syncs.clear()
  }

  opened(id: ConnectionId, info: ConnectionInfo): void {
    if (!this.#serving) this.#out.close(id, 'not serving')
    else if (this.#connections.size >= LIMITS.sessionsPerReplicaMax) {
      // Over TCP as ZooKeeper: without a word.
      if (info.from !== 'tcp') this.#out.packet(id, NO_PLACE)
      this.#out.close(id, 'too many connections')
    } else {
      const connection = new Connection(id, info)
      this.#connections.set(id, connection)
      if (connection.resident) this.#residents.add(connection)
    }
  }

  closed(id: ConnectionId): void {
    const connection = this.#connections.get(id)
    if (connection !== undefined) this.#forget(connection)
    this.#out.forget(id)
  }

  received(id: ConnectionId, frame: Uint8Array, now: number, entropy: () => Uint8Array): void {
    const connection = this.#connections.get(id)
    if (connection === undefined) return
    try {
      for (const packet of splitPackets(frame)) {
        if (!this.#connections.has(id)) return
        if (connection.phase === 'open') this.#request(connection, packet)
        else if (connection.phase === 'new') this.#connect(connection, packet, entropy)
        else throw new DecodeError('a request before the session')
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#close(connection, error.message)
    }
    if (connection.phase === 'open' && this.#connections.has(id)) this.#heard(connection.session, now)
  }

  synced(tag: number): void {
    const connection = this.#syncs.get(tag)
    this.#syncs.delete(tag)
    if (connection === undefined || !this.#connections.has(connection.id)) return
    for (const { packet, who } of connection.synced(tag)) this.#write(connection, packet, who)
    this.#drain(connection)
  }

  /** An entry was applied: events first, then its reply, then what waited behind it. */
  applied(zxid: Zxid, txn: Txn | null, applied: Applied): void {
    this.recent.add(zxid, applied.changes)
    for (const change of applied.changes) this.#fire(zxid, change)
    if (txn === null) return
    const asker = txn.origin === 0 ? undefined : this.#byOrigin.get(txn.origin)
    if (asker?.guest === true && txn.body.kind === 'createSession' && applied.error === 0)
      this.#ofGuests.add(txn.session)
    if (asker !== undefined) this.#settle(asker, zxid, txn, applied)
    if (applied.error !== 0) return
    if (txn.body.kind === 'closeSession') this.#ofGuests.delete(txn.session)
    const here = this.#bySession.get(txn.session)
    if (here === undefined) return
    if (txn.body.kind === 'closeSession') this.#close(here, 'session closed')
    else if (txn.body.kind === 'moveSession' && here !== asker) this.#close(here, 'session moved')
  }

  #fire(zxid: Zxid, { type, path, acl }: Change): void {
    for (const id of this.watches.fire({ type, path, acl })) {
      const connection = this.#connections.get(id)
      if (connection !== undefined && allows(acl, PERMISSIONS.read, connection.who)) this.#event(id, zxid, type, path)
    }
  }

  #event(id: ConnectionId, zxid: Zxid, type: Change['type'], path: string): void {
    const state = KEEPER_STATES.SyncConnected
    this.#out.packet(id, encodeEvent({ type: EVENT_TYPES[type], state, path }, zxid))
  }

  #connect(connection: Connection, packet: Uint8Array, entropy: () => Uint8Array): void {
    const asked = decodeConnectRequest(packet)
    if (asked.lastZxidSeen > this.#state.applied) {
      this.#close(connection, 'the client has seen a later state')
      return
    }
    const isNew = asked.sessionId === NO_SESSION
    // Sessions outlive their connections: whoever comes and goes would leave any number of them behind.
    if (isNew && connection.guest && this.#ofGuests.size >= LIMITS.sessionsPerReplicaMax) {
      this.#out.packet(connection.id, NO_PLACE)
      this.#close(connection, 'too many sessions')
      return
    }
    const timeout = Math.min(Math.max(asked.timeOut, TIMES.sessionTimeoutMin), TIMES.sessionTimeoutMax)
    const drawn = drawSession(entropy())
    const session = isNew ? drawn.session : asked.sessionId
    const password = isNew ? drawn.password : asked.passwd.slice()
    const { origin } = drawn
    connection.phase = 'joining'
    connection.session = session
    connection.origin = origin
    this.#byOrigin.set(origin, connection)
    connection.wait({ kind: 'join', password })
    connection.line = asked.offer?.line ?? 0
    const { line } = connection
    this.#ask({ kind: isNew ? 'createSession' : 'moveSession', session, origin, timeout, password, line })
  }

  #joined(connection: Connection, password: Uint8Array, zxid: Zxid, applied: Applied): void {
    const session = applied.error === 0 ? this.#state.sessions.get(connection.session) : undefined
    if (session === undefined) {
      const full = applied.error === ERROR_CODES.ThrottledOp
      if (!full) this.#out.packet(connection.id, encodeConnectResponse(REFUSED))
      else if (!connection.overTcp) this.#out.packet(connection.id, NO_PLACE)
      this.#close(connection, full ? 'too many sessions' : 'no such session')
      return
    }
    const older = this.#bySession.get(session.id)
    if (older !== undefined) this.#close(older, 'session moved')
    this.#bySession.set(session.id, connection)
    connection.phase = 'open'
    const { id: sessionId, timeout: timeOut } = session
    const since = this.#state.sessions.replies(sessionId)?.since
    const grant = since === undefined ? {} : { grant: { version: ADDITIONS_VERSION, continued: since !== zxid } }
    const response = { protocolVersion: 0, timeOut, sessionId, passwd: password, readOnly: false, ...grant }
    this.#out.packet(connection.id, encodeConnectResponse(response))
  }

  #request(connection: Connection, packet: Uint8Array): void {
    const { xid, request } = decodeRequest(packet)
    switch (request.kind) {
      case 'ping':
        this.#reply(connection, xid, nothing('ping'))
        break
      case 'auth':
        this.#authenticate(connection, xid, request.scheme, request.auth)
        break
      case 'sync': {
        const tag = this.#nextTag++
        this.#syncs.set(tag, connection)
        connection.wait({ kind: 'sync', xid, path: request.path, tag })
        this.#out.order({ kind: 'sync', tag })
        break
      }
      case 'create':
      case 'create2':
      case 'createContainer':
      case 'createTTL':
      case 'delete':
      case 'setData':
      case 'setACL':
      case 'multi':
      case 'closeSession': {
        const { who } = connection
        if (connection.holdsWrites) connection.wait({ kind: 'held', xid, request, packet, who })
        else {
          connection.wait({ kind: 'write', xid, request })
          this.#write(connection, packet, who)
        }
        break
      }
      case 'acknowledge':
        if (connection.line !== 0) connection.seen = request.seen
        else this.#reply(connection, xid, failed('Unimplemented'))
        break
      default:
        if (connection.idle) this.#read(connection, xid, request)
        else connection.wait({ kind: 'read', xid, request })
    }
  }

  #authenticate(connection: Connection, xid: number, scheme: string, auth: Uint8Array | null): void {
    const challenge = (): Uint8Array | null => {
      const session = this.#state.sessions.get(connection.session)
      return session === undefined || connection.phase !== 'open' ? null : keyChallenge(session.id, session.password)
    }
    const { address } = connection
    const proved = identities(scheme, auth, { address, challenge, superDigest: this.#superDigest })
    if (proved !== null) connection.identify(proved)
    this.#reply(connection, xid, proved === null ? failed('AuthFailed') : nothing('auth'))
    if (proved === null) this.#close(connection, 'authentication failed')
  }

  #settle(connection: Connection, zxid: Zxid, txn: Txn, applied: Applied): void {
    const awaited = connection.takeAwaited()
    if (awaited === undefined) return
    if (awaited.kind === 'join') {
      this.#joined(connection, awaited.password, zxid, applied)
      return
    }
    this.#out.packet(connection.id, encodeAnswer(awaited.xid, zxid, writeAnswer(awaited.request, applied)))
    const { error } = applied
    if (error === ERROR_CODES.SessionMoved || error === ERROR_CODES.SessionExpired)
      this.#close(connection, 'no session here')
    else if (txn.body.kind !== 'closeSession') this.#drain(connection)
  }

  #drain(connection: Connection): void {
    for (let next = connection.takeReady(); next !== undefined; next = connection.takeReady()) {
      if (next.kind === 'sync') this.#reply(connection, next.xid, { kind: 'sync', response: { path: next.path } })
      else this.#read(connection, next.xid, next.request)
    }
  }

  #write({ session, origin, line, seen }: Connection, packet: Uint8Array, who: Connection['who']): void {
    this.#ask({ kind: 'client', session, origin, who, packet, seen: line === 0 ? null : seen })
  }

  #read(connection: Connection, xid: number, request: Request): void {
    if (request.kind === 'setWatches' || request.kind === 'setWatches2') {
      for (const { zxid, type, path } of rearm(this.#state, this.watches, connection, request)) {
        this.#event(connection.id, zxid, type, path)
      }
      this.#reply(connection, xid, nothing('setWatches'))
    } else if (request.kind === 'resumeWatches' && connection.line !== 0) this.#resume(connection, xid, request)
    else this.#reply(connection, xid, answerRead(this.#state, this.watches, connection, request))
  }

  /** With an error where the log no longer says what happened: then they are armed as `setWatches` arms them. */
  #resume(connection: Connection, xid: number, request: SimpleRequest<'resumeWatches'>): void {
    connection.resuming.push(request)
    if (!request.last) return
    const requests = connection.resuming
    connection.resuming = []
    const missed = resume(this.watches, connection, requests, this.recent)
    const events = missed ?? requests.flatMap((each) => rearm(this.#state, this.watches, connection, each))
    for (const { zxid, type, path } of events) this.#event(connection.id, zxid, type, path)
    this.#reply(connection, xid, missed === null ? failed('DataInconsistency') : nothing('resumeWatches'))
  }

  #reply(connection: Connection, xid: number, answer: Answer): void {
    this.#out.packet(connection.id, encodeAnswer(xid, this.#state.applied, answer))
  }

  #ask(request: LeaderRequest): void {
    this.#out.order({ kind: 'request', bytes: encodeLeaderRequest(request) })
  }

  #close(connection: Connection, reason: string): void {
    if (!this.#connections.has(connection.id)) return
    this.#out.close(connection.id, reason)
    this.#forget(connection)
  }

  #forget(connection: Connection): void {
    const { id, origin, session } = connection
    this.#connections.delete(id)
    this.#residents.delete(connection)
    this.#byOrigin.delete(origin)
    if (this.#bySession.get(session) === connection) this.#bySession.delete(session)
    this.watches.closed(id)
  }
}
