import { KeeperError } from '../src/index.ts'
import type { Status } from './gossip.ts'
import type { Place } from './seat.ts'

/** Milliseconds */
const LED_ENOUGH = 6000

/** A page that leads cannot be killed and go on showing it: where one of its frames votes, the lead goes there. */
export class Handover {
  #asked = 0
  #asking = false
  #led = { epoch: 0, since: 0 }

  /** Is it asked, and not answered yet? */
  get underWay(): boolean {
    return this.#asking
  }

  /**
   * Asked once an epoch, when all voters are here; the first time at once, later only after a while, so that what was just told
   * of a kill can be read.
   */
  isDue({ replica, leader, epoch, voters }: Status, frames: readonly number[], here: readonly number[]): boolean {
    if (leader !== replica) return false
    if (this.#led.epoch !== epoch) this.#led = { epoch, since: performance.now() }
    const patient = this.#asked === 0 || performance.now() - this.#led.since > LED_ENOUGH
    const whole = voters.length >= 3 && voters.every((voter) => here.includes(voter))
    return epoch > this.#asked && whole && patient && frames.some((frame) => voters.includes(frame))
  }

  /** Never rejects: if nobody takes the lead, this page keeps it. */
  async ask({ keeper }: Place, epoch: number): Promise<void> {
    this.#asked = epoch
    this.#asking = true
    try {
      await keeper.stepDown()
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
    } finally {
      this.#asking = false
    }
  }
}
