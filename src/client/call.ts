import { KeeperError } from '../base/errors.ts'

export interface CallTerms<T> {
  /** Encoded with any xid: the connection writes its own into the first 4 bytes. */
  readonly packet: Uint8Array<ArrayBuffer>
  /** Does a lost reply leave the outcome unknown? */
  readonly write: boolean
  /** What its remembered reply weighs, of a write (see jute/numbers). */
  readonly weight?: number
  /** Is it of one connection only, a read though it is? */
  readonly once?: boolean
  /** See isPlainRead. */
  readonly plain?: boolean
  readonly path: string | undefined
  readonly signal: AbortSignal | undefined
  /** `err` as in ERROR_CODES. May throw KeeperError, the call's result, or DecodeError, the connection's end. */
  readonly read: (err: number, body: Uint8Array) => T
  /** Once, however it ended. */
  readonly settled?: () => void
}

/** What the connection needs to know of a call. */
export interface PendingCall {
  readonly packet: Uint8Array<ArrayBuffer>
  /** Nobody waits any more: what is not sent yet need not be. */
  readonly done: boolean
  readonly write: boolean
  readonly weight: number
  /** A read that anybody can answer who has the tree. */
  readonly plain: boolean
  /** In the session's numbering, once it was sent over a connection that has one; 0 before. */
  number: number
  /** Was it sent, and may its effect be there? */
  readonly uncertain: boolean
  /**
   * May it be asked again over the next connection, its reply being lost? Reads may, numbered writes too; not for ever, should it be
   * what ends the connections.
   */
  readonly repeatable: boolean
  sent(): void
  /** Throws DecodeError, and is then not settled. */
  reply(err: number, body: Uint8Array): void
  /** Not once it is done. The outcome is unknown for a write that was sent. */
  fail(code: FailureCode, reason: string, cause?: unknown): void
}

export type FailureCode = 'ConnectionLoss' | 'SessionExpired' | 'AuthFailed' | 'Closed' | 'Aborted' | 'TooManySessions'

const SENDS_MAX = 4
const NUMBERED_SENDS_MAX = 64

/** One request, from the method that asked to the reply. */
export class Call<T> implements PendingCall {
  readonly promise: Promise<T>
  readonly packet: Uint8Array<ArrayBuffer>
  readonly #terms: CallTerms<T>
  #resolve!: (value: T) => void
  #reject!: (error: KeeperError) => void
  number = 0
  #done = false
  #sent = 0

  constructor(terms: CallTerms<T>) {
    this.#terms = terms
    this.packet = terms.packet
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (terms.signal?.aborted) this.#abort()
    else terms.signal?.addEventListener('abort', this.#abort)
  }

  get done(): boolean {
    return this.#done
  }

  get repeatable(): boolean {
    if (this.#done || this.#terms.once === true) return false
    return this.#terms.write ? this.number > 0 && this.#sent < NUMBERED_SENDS_MAX : this.#sent < SENDS_MAX
  }

  get write(): boolean {
    return this.#terms.write
  }

  get weight(): number {
    return this.#terms.weight ?? 0
  }

  get plain(): boolean {
    return this.#terms.plain ?? false
  }

  get uncertain(): boolean {
    return this.#terms.write && this.#sent > 0
  }

  sent(): void {
    this.#sent++
  }

  reply(err: number, body: Uint8Array): void {
    if (this.#done) return
    let value: T
    try {
      value = this.#terms.read(err, body)
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      this.#settle(() => this.#reject(error))
      return
    }
    this.#settle(() => this.#resolve(value))
  }

  fail(code: FailureCode, reason: string, cause?: unknown): void {
    if (this.#done) return
    const outcome = this.uncertain ? 'unknown' : 'not-applied'
    const message = this.#terms.path === undefined ? `${code}: ${reason}` : `${code}: ${this.#terms.path}: ${reason}`
    this.#settle(() => this.#reject(new KeeperError(code, message, { path: this.#terms.path, outcome, cause })))
  }

  readonly #abort = (): void => this.fail('Aborted', 'by its signal', this.#terms.signal?.reason)

  #settle(tell: () => void): void {
    this.#done = true
    this.#terms.signal?.removeEventListener('abort', this.#abort)
    this.#terms.settled?.()
    tell()
  }
}
