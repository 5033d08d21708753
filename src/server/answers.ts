import { ERROR_CODES } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { MultiOp, MultiResult } from '../jute/multi.ts'
import { encodeError, encodeReply, type Request } from '../jute/protocol.ts'
import type { ResponseKind, Responses } from '../jute/responses.ts'
import type { Outcome, Reply } from '../tree/replies.ts'

type AnswerOf<K extends ResponseKind> = { [P in K]: { readonly kind: P; readonly response: Responses[P] } }[K]

/** The answer to one request: a record of its kind, or an ERROR_CODES number. */
export type Answer = AnswerOf<ResponseKind> | { readonly kind: 'error'; readonly code: number }

export const failed = (code: keyof typeof ERROR_CODES): Answer => ({ kind: 'error', code: ERROR_CODES[code] })
export const nothing = <
  K extends 'ping' | 'auth' | 'delete' | 'closeSession' | 'setWatches' | 'addWatch' | 'removeWatches' | 'resumeWatches',
>(
  kind: K,
): Answer => ({ kind, response: {} }) as Answer

/** `zxid`: of the state that the answer shows. */
export const encodeAnswer = (xid: number, zxid: Zxid, answer: Answer): Uint8Array<ArrayBuffer> =>
  answer.kind === 'error' ? encodeError({ xid, zxid, err: answer.code }) : encodeRecord(xid, zxid, answer)

function encodeRecord<K extends ResponseKind>(xid: number, zxid: Zxid, answer: AnswerOf<K>): Uint8Array<ArrayBuffer> {
  return encodeReply({ xid, zxid, err: 0 }, answer.kind, answer.response)
}

/** What a write's client is told, from what its txn did. */
export function writeAnswer(request: Request, applied: Reply): Answer {
  if (request.kind === 'multi') {
    if (applied.error !== 0 && applied.outcomes.length === 0) return { kind: 'error', code: applied.error }
    // A failed multi is no error of the packet: its results say what failed.
    return { kind: 'multi', response: { results: applied.outcomes.map((each, at) => result(request.ops[at], each)) } }
  }
  if (applied.error !== 0) return { kind: 'error', code: applied.error }
  const outcome = applied.outcomes[0]
  switch (request.kind) {
    case 'create':
      if (outcome?.kind === 'create') return { kind: 'create', response: { path: outcome.path } }
      break
    case 'create2':
    case 'createContainer':
    case 'createTTL':
      if (outcome?.kind === 'create') {
        return { kind: request.kind, response: { path: outcome.path, stat: outcome.stat } }
      }
      break
    case 'setData':
    case 'setACL':
      if (outcome?.kind === 'stat') return { kind: request.kind, response: { stat: outcome.stat } }
      break
    case 'delete':
    case 'closeSession':
      return nothing(request.kind)
    default:
      break
  }
  return failed('RuntimeInconsistency')
}

function result(op: MultiOp | undefined, outcome: Outcome): MultiResult {
  switch (outcome.kind) {
    case 'create':
      return op?.kind === 'create'
        ? { kind: 'create', path: outcome.path }
        : { kind: 'create2', path: outcome.path, stat: outcome.stat }
    case 'stat':
      return { kind: 'setData', stat: outcome.stat }
    case 'done':
      return op?.kind === 'check' ? { kind: 'check' } : { kind: 'delete' }
    case 'error':
      return { kind: 'error', err: outcome.code }
  }
}
