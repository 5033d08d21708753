import { ERROR_CODES, errorName, KeeperError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { requestWeight } from '../jute/numbers.ts'
import { isPlainRead } from '../jute/plain-reads.ts'
import { decodeResponse, encodeRequest, type Request } from '../jute/protocol.ts'
import type { ResponseKind, Responses } from '../jute/responses.ts'
import { isSignal, refuse } from './arguments.ts'
import type { PendingCall } from './call.ts'
import { Call } from './call.ts'

export interface AskTerms<K extends ResponseKind, T> {
  /** The caller's path, for errors. */
  readonly path?: string
  readonly signal?: AbortSignal | undefined
  /** Does a lost reply leave the outcome unknown? */
  readonly write?: boolean
  /** Of this connection only: never asked again over the next one. */
  readonly once?: boolean
  readonly read: (response: Responses[K]) => T
  /** What an error number means where it is a result too; throws otherwise. */
  readonly refused?: (err: number) => T
  readonly settled?: () => void
}

/** Turns typed requests into calls, and replies into values or KeeperErrors. */
export class Requests {
  readonly #submit: (call: PendingCall) => void

  constructor(submit: (call: PendingCall) => void) {
    this.#submit = submit
  }

  ask<K extends ResponseKind, T>(request: Request & { readonly kind: K }, terms: AskTerms<K, T>): Promise<T> {
    const call = this.prepare(request, terms)
    this.#submit(call)
    return call.promise
  }

  prepare<K extends ResponseKind, T>(request: Request & { readonly kind: K }, terms: AskTerms<K, T>): Call<T> {
    const { path, signal, read, refused, settled } = terms
    const packet = encodeRequest(0, request)
    if (!isSignal(signal)) {
      settled?.()
      throw refuse('signal', 'must be an AbortSignal')
    }
    if (packet.length > LIMITS.packetBytesMax) {
      settled?.()
      const size = `the request has ${packet.length} bytes, ${LIMITS.packetBytesMax} are allowed`
      throw new KeeperError('TooLarge', path === undefined ? size : `${path}: ${size}`, { path })
    }
    return new Call<T>({
      packet,
      write: terms.write ?? false,
      weight: terms.write === true ? requestWeight(request) : 0,
      once: terms.once ?? false,
      plain: isPlainRead(request),
      path,
      signal,
      read: (err, body) => {
        if (err === 0) return read(decodeResponse(body, request.kind))
        if (refused !== undefined) return refused(err)
        throw failure(err, path)
      },
      ...(settled === undefined ? {} : { settled }),
    })
  }
}

export const failure = (err: number, path: string | undefined): KeeperError =>
  new KeeperError(errorName(err), undefined, {
    path,
    // The ensemble has forgotten what became of it.
    outcome: err === ERROR_CODES.ConnectionLoss ? 'unknown' : 'not-applied',
  })
