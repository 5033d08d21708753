import type { KeeperError } from '../base/errors.ts'
import { XIDS } from '../jute/opcodes.ts'
import { encodeRequest } from '../jute/protocol.ts'

interface Entry {
  readonly packet: Uint8Array<ArrayBuffer>
  waiters: { readonly resolve: () => void; readonly reject: (error: KeeperError) => void }[]
}

/** What a client said about who it is; said again on every new connection, before anything else. */
export class Credentials {
  readonly #entries: Entry[] = []
  /** Sent over the present connection and not answered yet, oldest first. */
  #unanswered: Entry[] = []

  /** The packet to send now, if there is a connection. */
  add(scheme: string, auth: Uint8Array): { readonly packet: Uint8Array; readonly answered: Promise<void> } {
    const packet = encodeRequest(XIDS.auth, { kind: 'auth', type: 0, scheme, auth })
    const entry: Entry = { packet, waiters: [] }
    this.#entries.push(entry)
    const answered = new Promise<void>((resolve, reject) => entry.waiters.push({ resolve, reject }))
    return { packet, answered }
  }

  /** All of them, to be sent over a connection in this order. */
  introduce(): Uint8Array[] {
    this.#unanswered = [...this.#entries]
    return this.#entries.map((entry) => entry.packet)
  }

  /** The last one added was sent. */
  sentLast(): void {
    const last = this.#entries.at(-1)
    if (last !== undefined) this.#unanswered.push(last)
  }

  /** The oldest unanswered one was accepted. */
  accepted(): void {
    const entry = this.#unanswered.shift()
    for (const waiter of entry?.waiters ?? []) waiter.resolve()
    if (entry !== undefined) entry.waiters = []
  }

  /** The client is over: whoever waits is told. */
  end(error: KeeperError): void {
    for (const entry of this.#entries) {
      for (const waiter of entry.waiters) waiter.reject(error)
      entry.waiters = []
    }
  }
}
