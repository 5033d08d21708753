import { OPCODES, XIDS } from '../jute/opcodes.ts'

/** Packets over all connections of one listener, also those that are closed, and how long answers took. ZooKeeper: ServerStats. */
export class Traffic {
  received = 0
  sent = 0
  #answers = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  answered(milliseconds: number): void {
    this.#answers++
    this.#sum += milliseconds
    this.#min = Math.min(this.#min, milliseconds)
    this.#max = Math.max(this.#max, milliseconds)
  }

  /** Milliseconds; 0 before the first answer. */
  get latency(): { readonly min: number; readonly average: number; readonly max: number } {
    if (this.#answers === 0) return { min: 0, average: 0, max: 0 }
    return { min: this.#min, average: this.#sum / this.#answers, max: this.#max }
  }
}

/** One connection's packets: those that wait for an answer, and since when. */
export class Waits {
  readonly #traffic: Traffic
  /** Of each xid: requests under one xid are answered in their order. */
  readonly #unanswered = new Map<number, Unanswered[]>()
  received = 0
  sent = 0
  outstanding = 0
  /** Bytes of the requests that wait. */
  outstandingBytes = 0

  constructor(traffic: Traffic) {
    this.#traffic = traffic
  }

  /** `frame` holds whole packets. */
  asked(frame: Uint8Array, now: number): void {
    for (const { xid, type, bytes } of heads(frame)) {
      // The connect request has no header, and so has its answer.
      const key = this.received === 0 ? CONNECT : xid
      this.received++
      this.#traffic.received++
      if (this.received > 1 && type === OPCODES.acknowledge) continue
      this.outstanding++
      this.outstandingBytes += bytes
      const waiting = this.#unanswered.get(key)
      if (waiting === undefined) this.#unanswered.set(key, [{ at: now, bytes }])
      else waiting.push({ at: now, bytes })
    }
  }

  told(frame: Uint8Array, now: number): void {
    for (const { xid } of heads(frame)) {
      const key = this.sent === 0 ? CONNECT : xid
      this.sent++
      this.#traffic.sent++
      const waiting = key === XIDS.watchEvent ? undefined : this.#unanswered.get(key)
      const asked = waiting?.shift()
      if (waiting?.length === 0) this.#unanswered.delete(key)
      if (asked === undefined) continue
      this.outstanding--
      this.outstandingBytes -= asked.bytes
      this.#traffic.answered(now - asked.at)
    }
  }
}

interface Unanswered {
  readonly at: number
  readonly bytes: number
}

/** No xid: those are 32 bits. */
const CONNECT = Number.MAX_SAFE_INTEGER

function* heads(frame: Uint8Array): Generator<{ readonly xid: number; readonly type: number; readonly bytes: number }> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  for (let at = 0; at + 4 <= frame.length; at += 4 + view.getInt32(at)) {
    const int = (from: number): number => (from + 4 <= frame.length ? view.getInt32(from) : 0)
    yield { xid: int(at + 4), type: int(at + 8), bytes: view.getInt32(at) }
  }
}
