import { ERROR_CODES } from '../base/errors.ts'
import { isPlainRead } from '../jute/plain-reads.ts'
import { decodeRequest } from '../jute/protocol.ts'
import type { State } from '../tree/state.ts'
import { type Answer, encodeAnswer } from './answers.ts'
import { Connection } from './connection.ts'
import { answerRead } from './reads.ts'
import { Watches } from './watches.ts'

/** Nobody's: what its owner may see as everybody may. */
const NOBODY = new Connection(0, { from: 'page', address: '' })
const NO_WATCHES = new Watches()

/**
 * The reply to one plain read of a client that has no connection, from the state as it is; null for whatever needs a session: writes,
 * watches, and what an ACL keeps from those who have not said who they are. Throws DecodeError. ZooKeeper: ReadOnlyRequestProcessor.
 */
export function answerOffline(state: State, packet: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const { xid, request } = decodeRequest(packet)
  if (!isPlainRead(request)) return null
  const answer = answerRead(state, NO_WATCHES, NOBODY, request)
  return isRefused(answer) ? null : encodeAnswer(xid, state.applied, answer)
}

function isRefused(answer: Answer): boolean {
  if (answer.kind === 'error') return answer.code !== ERROR_CODES.NoNode
  if (answer.kind !== 'multiRead') return false
  return answer.response.results.some((result) => result.kind === 'error' && result.err !== ERROR_CODES.NoNode)
}
