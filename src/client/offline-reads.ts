import type { Zxid } from '../base/zxid.ts'
import { decodeReply } from '../jute/protocol.ts'
import { DecodeError } from '../jute/reader.ts'
import type { PendingCall } from './call.ts'

/** Asks whoever has a tree for replies to these requests, without a session; null where one is needed. In their order. */
export type AskOffline = (packets: readonly Uint8Array[]) => Promise<readonly (Uint8Array | null)[]>

/** The reads of a session that is suspended. What gathers in one turn is asked at once. */
export class OfflineReads {
  readonly #ask: AskOffline
  readonly #suspended: () => boolean
  readonly #lastZxid: () => Zxid
  readonly #answered: () => void
  #calls: PendingCall[] = []

  /** `answered`: so many of the calls that wait do so no longer. */
  constructor(ask: AskOffline, suspended: () => boolean, lastZxid: () => Zxid, answered: () => void) {
    this.#ask = ask
    this.#suspended = suspended
    this.#lastZxid = lastZxid
    this.#answered = answered
  }

  add(call: PendingCall): void {
    if (!call.plain || call.done) return
    this.#calls.push(call)
    if (this.#calls.length === 1) queueMicrotask(() => void this.#flush())
  }

  async #flush(): Promise<void> {
    const calls = this.#calls
    this.#calls = []
    // Whoever cannot answer leaves it to the next connection.
    const replies = await this.#ask(calls.map(({ packet }) => packet)).catch(() => [])
    if (!this.#suspended()) return
    for (const [at, call] of calls.entries()) this.#reply(call, replies[at] ?? null)
    this.#answered()
  }

  #reply(call: PendingCall, packet: Uint8Array | null): void {
    if (packet === null) return
    try {
      const { header, body } = decodeReply(packet)
      // A session never reads backwards.
      if (header.zxid >= this.#lastZxid()) call.reply(header.err, body)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
    }
  }
}
