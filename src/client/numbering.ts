import { nextNumber } from '../jute/numbers.ts'

/**
 * The numbers of a session's requests, over all its connections that negotiated it: what is asked again is asked under its old number, and the
 * ensemble knows what it answered. The line names them, so that nobody else who has the session is mistaken for this client.
 */
export class Numbering {
  readonly line: number
  #next = 1
  /** Of the last reply that was read. */
  seen = 0

  /** `random`: 0 ≤ x < 1. */
  constructor(random: () => number) {
    this.line = Math.floor(random() * 2 ** 48) || 1
  }

  take(): number {
    const number = this.#next
    this.#next = nextNumber(number)
    return number
  }

  /** The ensemble knows nothing of it. */
  restart(): void {
    this.#next = 1
    this.seen = 0
  }
}
