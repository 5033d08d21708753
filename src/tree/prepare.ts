import { equalBytes } from '../base/bytes.ts'
import { ERROR_CODES } from '../base/errors.ts'
import { NO_SESSION, type SessionId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Zxid } from '../base/zxid.ts'
import type { MultiOp } from '../jute/multi.ts'
import { isAfter } from '../jute/numbers.ts'
import { decodeRequest, type Request } from '../jute/protocol.ts'
import { DecodeError } from '../jute/reader.ts'
import type { TreeTxn, Txn, TxnBody } from '../jute/txns.ts'
import { Overlay } from './overlay.ts'
import { ownerKind } from './owner.ts'
import { type Asking, noteRemoval, type PrepareOptions, prepareOp, Refusal } from './prepare-op.ts'
import { decodeLeaderRequest, type LeaderRequest } from './request.ts'
import type { Session } from './sessions.ts'
import type { State } from './state.ts'

/**
 * The leader's way from requests to txns. Total: what cannot be done, or not even be read, becomes an error txn.
 * ZooKeeper: PrepRequestProcessor.
 */
export class Preparer {
  readonly #state: State
  readonly #overlay: Overlay
  readonly #options: PrepareOptions

  constructor(state: State, options: PrepareOptions) {
    this.#state = state
    this.#overlay = new Overlay(state)
    this.#options = options
  }

  /** The state has everything up to here. */
  applied(zxid: Zxid): void {
    this.#overlay.applied(zxid)
  }

  prepare(zxid: Zxid, bytes: Uint8Array, time: number): Txn {
    try {
      return this.#prepared(zxid, decodeLeaderRequest(bytes), time)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return { session: NO_SESSION, cxid: 0, origin: 0, time, seen: null, body: refusal(ERROR_CODES.MarshallingError) }
    }
  }

  #prepared(zxid: Zxid, request: LeaderRequest, time: number): Txn {
    if (request.kind === 'client') return this.#client(zxid, request, time)
    const session = request.kind === 'reap' ? NO_SESSION : request.session
    const origin = 'origin' in request ? request.origin : 0
    const mark = this.#overlay.mark
    const body = this.#guarded(mark, () => this.#internal(zxid, request))
    return { session, cxid: 0, origin, time, seen: null, body }
  }

  #client(zxid: Zxid, request: Extract<LeaderRequest, { kind: 'client' }>, time: number): Txn {
    const { session, origin, who } = request
    const packet = decoded(request.packet)
    const from = { session, cxid: packet?.xid ?? 0, origin, time }
    const refused = (code: number): Txn => ({ ...from, seen: null, body: refusal(code) })
    if (packet === null) return refused(ERROR_CODES.MarshallingError)
    const known = this.#overlay.session(session)
    // Neither is an answer to the request: what is asked again over the right connection is another matter.
    if (known === undefined) return refused(ERROR_CODES.SessionExpired)
    if (known.origin !== origin) return refused(ERROR_CODES.SessionMoved)
    const { xid, request: asked } = packet
    const seen = known.line === 0 ? null : request.seen
    if (seen !== null) {
      const before = this.#askedBefore(known, xid)
      if (before === 'forgotten') return refused(ERROR_CODES.ConnectionLoss)
      if (before === 'again') return { ...from, seen, body: { kind: 'again' } }
      this.#overlay.asked.add(zxid, session, xid)
    }
    const asking = { state: this.#state, overlay: this.#overlay, options: this.#options, zxid, session, who }
    const mark = this.#overlay.mark
    return { ...from, seen, body: this.#guarded(mark, () => this.#operation(asking, asked, mark)) }
  }

  /** `forgotten`: nobody knows any more, so it must not be done. */
  #askedBefore({ id, line }: Session, number: number): 'no' | 'again' | 'forgotten' {
    if (this.#overlay.asked.has(id, number)) return 'again'
    const replies = this.#state.sessions.replies(id)
    // The line may have begun in the overlay only.
    if (replies === undefined || replies.line !== line) return 'no'
    if (replies.get(number) !== undefined) return 'again'
    return isAfter(number, replies.forgotten) ? 'no' : 'forgotten'
  }

  #operation(asking: Asking, request: Request, mark: number): TxnBody {
    switch (request.kind) {
      case 'create':
      case 'create2':
      case 'createContainer':
      case 'createTTL':
      case 'delete':
      case 'setData':
      case 'setACL':
        return prepareOp(asking, request)
      case 'multi':
        return this.#multi(asking, request.ops, mark)
      case 'closeSession':
        return this.#closeSession(asking.zxid, asking.session)
      case 'deleteContainer':
        throw new Refusal('NoAuth')
      default:
        // A bare `check` is refused too: it has no place in the log.
        throw new Refusal('Unimplemented')
    }
  }

  /** All or nothing: each operation sees those before it, and a failure undoes them. */
  #multi(asking: Asking, ops: readonly MultiOp[], mark: number): TxnBody {
    const txns: TreeTxn[] = []
    for (const op of ops) {
      try {
        txns.push(prepareOp(asking, op))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        this.#overlay.rollBack(mark)
        const later = ERROR_CODES.RuntimeInconsistency
        const codes = ops.map((_, at) => (at < txns.length ? 0 : at === txns.length ? error.code : later))
        return { kind: 'error', code: error.code, codes }
      }
    }
    return { kind: 'multi', ops: txns }
  }

  #internal(zxid: Zxid, request: Exclude<LeaderRequest, { kind: 'client' }>): TxnBody {
    switch (request.kind) {
      case 'createSession': {
        const { session: id, timeout, password, origin, line } = request
        if (id <= NO_SESSION || this.#overlay.session(id) !== undefined) throw new Refusal('BadArguments')
        if (this.#overlay.sessions >= LIMITS.sessionsMax) throw new Refusal('ThrottledOp')
        this.#overlay.setSession(zxid, id, { id, timeout, password, origin, line })
        return { kind: 'createSession', timeout, password, line }
      }
      case 'moveSession': {
        const known = this.#overlay.session(request.session)
        if (known === undefined || !equalBytes(known.password, request.password)) throw new Refusal('SessionExpired')
        const { timeout, origin, line } = request
        if (known.line !== line) this.#overlay.asked.forget(known.id)
        this.#overlay.setSession(zxid, known.id, { ...known, timeout, origin, line })
        return { kind: 'moveSession', timeout, line }
      }
      case 'endSession':
        if (this.#overlay.session(request.session) === undefined) throw new Refusal('SessionExpired')
        return this.#closeSession(zxid, request.session)
      case 'reap': {
        const node = this.#overlay.node(request.path)
        if (node === undefined || node.czxid !== request.czxid || node.mzxid !== request.mzxid)
          throw new Refusal('NoNode')
        const kind = ownerKind(node.owner)
        if (kind !== 'container' && kind !== 'ttl') throw new Refusal('BadVersion')
        if (node.numChildren > 0) throw new Refusal('NotEmpty')
        noteRemoval(this.#overlay, zxid, request.path)
        return { kind: 'delete', path: request.path }
      }
    }
  }

  /** From here on the session's requests are refused, so that nothing is created behind its end. */
  #closeSession(zxid: Zxid, session: SessionId): TxnBody {
    const paths = this.#overlay.ephemeralsOf(session)
    for (const path of paths) noteRemoval(this.#overlay, zxid, path)
    this.#overlay.setSession(zxid, session, null)
    return { kind: 'closeSession', paths }
  }

  #guarded(mark: number, prepare: () => TxnBody): TxnBody {
    try {
      return prepare()
    } catch (error) {
      this.#overlay.rollBack(mark)
      if (error instanceof Refusal) return refusal(error.code)
      throw error
    }
  }
}

const refusal = (code: number): TxnBody => ({ kind: 'error', code, codes: [] })

function decoded(packet: Uint8Array): ReturnType<typeof decodeRequest> | null {
  try {
    return decodeRequest(packet)
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
