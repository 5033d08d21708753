import type { SessionId } from '../../../src/base/ids.ts'
import { makeZxid, nextZxid, type Zxid } from '../../../src/base/zxid.ts'
import { encodeRequest, type Request } from '../../../src/jute/protocol.ts'
import { decodeTxn, encodeTxn, type Txn } from '../../../src/jute/txns.ts'
import { type Identity, OPEN_ACL } from '../../../src/tree/acl.ts'
import type { Applied } from '../../../src/tree/apply.ts'
import { Preparer } from '../../../src/tree/prepare.ts'
import { encodeLeaderRequest, type LeaderRequest } from '../../../src/tree/request.ts'
import { State } from '../../../src/tree/state.ts'

export const A = 0xan as SessionId
export const B = 0xbn as SessionId

/** A state with its leader's preparer; what is prepared is applied when the test says so. */
export class Machine {
  readonly state: State
  readonly preparer: Preparer
  readonly #prepared: { readonly zxid: Zxid; readonly txn: Txn }[] = []
  #zxid = makeZxid(1, 0)

  constructor(state = State.fresh()) {
    this.state = state
    this.preparer = new Preparer(state, { extendedTypes: true, enforceQuota: false })
  }

  /** With sessions A and B. A numbers its requests. */
  static numbering(): Machine {
    const machine = Machine.withSessions()
    machine.ask({ kind: 'moveSession', session: A, origin: 10, timeout: 5000, password: new Uint8Array(16), line: 5 })
    machine.applyAll()
    return machine
  }

  /** Of session A's line; replies up to `seen` were read. */
  numbered(number: number, request: Request, seen = 0): Txn {
    return this.ask({
      kind: 'client',
      session: A,
      origin: 10,
      who: [],
      packet: encodeRequest(number, request),
      seen,
    })
  }

  /** Another leader, that knows only what is applied. */
  succeeded(state = this.state): Machine {
    const machine = new Machine(state)
    machine.#zxid = state.applied
    return machine
  }

  /** With sessions A and B. */
  static withSessions(): Machine {
    const machine = new Machine()
    for (const session of [A, B]) {
      machine.ask({
        kind: 'createSession',
        session,
        origin: Number(session),
        timeout: 5000,
        password: new Uint8Array(16),
        line: 0,
      })
    }
    machine.applyAll()
    return machine
  }

  prepare(bytes: Uint8Array): Txn {
    this.#zxid = nextZxid(this.#zxid)
    const txn = decodeTxn(encodeTxn(this.preparer.prepare(this.#zxid, bytes, this.#zxid)))
    this.#prepared.push({ zxid: this.#zxid, txn })
    return txn
  }

  ask(request: LeaderRequest): Txn {
    return this.prepare(encodeLeaderRequest(request))
  }

  request(session: SessionId, request: Request, who: readonly Identity[] = []): Txn {
    const packet = encodeRequest(1, request)
    return this.ask({ kind: 'client', session, origin: Number(session), who, packet, seen: null })
  }

  /** Applies what was prepared, but the last `lag`. */
  applyAll(lag = 0): Applied[] {
    const out: Applied[] = []
    while (this.#prepared.length > lag) {
      const { zxid, txn } = this.#prepared.shift() as { zxid: Zxid; txn: Txn }
      out.push(this.state.apply(zxid, txn))
      this.preparer.applied(zxid)
    }
    return out
  }
}

export const create = (path: string, flags = 0, data: Uint8Array | null = null): Request & { kind: 'create' } => ({
  kind: 'create',
  path,
  data,
  acl: OPEN_ACL,
  flags,
})

/** Every node of a state, to be compared. */
export function nodesOf(state: State): unknown[] {
  const nodes = [state.tree.get('/'), ...state.tree.below('/')]
  return nodes
    .map(
      (node) =>
        node && { path: node.path, data: textOf(node.data), acl: node.acl, owner: node.owner, stat: node.stat() },
    )
    .sort((a, b) => ((a?.path ?? '') < (b?.path ?? '') ? -1 : 1))
}

/** Long arrays are slow to compare. */
const textOf = (data: Uint8Array | null): string | null => data && Buffer.from(data).toString('base64')
