import type { KeeperEvents } from '../src/index.ts'
import { listed, plural } from './dom.ts'
import type { Status } from './gossip.ts'
import type { JobEnd } from './job.ts'
import { letter } from './names.ts'
import type { Narrator } from './narrator.ts'
import type { Roster, RosterChange } from './roster.ts'

interface Kill {
  readonly replica: number
  readonly who: string
  readonly led: number | null
  readonly at: number
}

/** Makes sentences of what happens. */
export class Story {
  readonly #narrator: Narrator
  readonly #roster: Roster
  readonly #killed = new Set<number>()
  #kill: Kill | null = null
  #leader: number | null = null
  #epoch = -1
  #voters = ''
  #suspended: ReturnType<typeof setTimeout> | undefined

  constructor(narrator: Narrator, roster: Roster) {
    this.#narrator = narrator
    this.#roster = roster
  }

  /** The ensemble as it is seen now; said only if it is news. */
  seen({ leader, epoch, voters }: Status): void {
    if (leader !== null && (leader !== this.#leader || epoch !== this.#epoch) && epoch >= this.#epoch) {
      this.#leader = leader
      this.#epoch = epoch
      this.#elected(leader, epoch)
    }
    const now = voters.map((one) => this.#roster.letterOf(one)).sort()
    if (now.includes('?') || now.join() === this.#voters) return
    const first = this.#voters === ''
    this.#voters = now.join()
    if (!first) this.#narrator.say(`The voters are now ${listed(now)}.`)
  }

  #elected(leader: number, epoch: number): void {
    const who = this.#roster.letterOf(leader)
    const kill = this.#kill
    this.#kill = null
    if (kill?.led == null) return this.#narrator.say(`Member ${who} leads epoch ${epoch}.`)
    const seconds = ((performance.now() - kill.at) / 1000).toFixed(1)
    this.#narrator.say(
      `Killed member ${kill.who}, which led epoch ${kill.led}. Member ${who} was elected ${seconds} s later and serves epoch ${epoch}.`,
    )
  }

  killed(replica: number, inHand: number, own: boolean): void {
    const who = this.#roster.letterOf(replica)
    const led = replica === this.#leader ? this.#epoch : null
    this.#kill = { replica, who, led, at: performance.now() }
    this.#killed.add(replica)
    const itself = own ? ", this page's own" : ''
    const tiles =
      inHand === 0
        ? ''
        : ` The ${plural(inHand, 'tile')} it had in hand ${inHand === 1 ? 'goes' : 'go'} back to the queue.`
    const then =
      led === null ? `${tiles} The others go on.` : `, which led epoch ${led}.${tiles} The others elect a leader…`
    this.#narrator.say(`Killed member ${who}${itself}${led === null ? '.' : ''}${then}`)
  }

  roster({ came, went }: RosterChange, first: boolean): void {
    for (const { replica, name } of went) {
      if (!this.#killed.delete(replica)) this.#narrator.say(`Member ${letter(name)} left.`)
    }
    for (const { replica } of came) this.#killed.delete(replica)
    if (came.length === 0 || first) return
    const who = came.map(({ name }) => letter(name))
    this.#narrator.say(
      `${who.length > 1 ? 'Members' : 'Member'} ${listed(who)} joined; that makes ${this.#roster.members.length}.`,
    )
  }

  /** A moment without a leader is no news: every election has one. */
  state({ state }: KeeperEvents['state']): void {
    clearTimeout(this.#suspended)
    if (state !== 'suspended') return
    this.#suspended = setTimeout(() => {
      this.#narrator.say('The replica of this page has lost its leader: its session is suspended, not lost.')
    }, 1000)
  }

  ended({ seconds, counts }: JobEnd): void {
    const parts = counts.map(([who, tiles]) => `${who} ${tiles}`)
    this.#narrator.say(`The image is done in ${seconds.toFixed(1)} s, every tile once: ${listed(parts)}.`)
  }

  rejoining(ms: number): void {
    this.#narrator.say(`This page has lost its place in the ensemble; it joins again in ${(ms / 1000).toFixed(1)} s.`)
  }

  say(words: string): void {
    this.#narrator.say(words)
  }
}
