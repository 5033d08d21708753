import { toHex } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import type { Started, StartOptions } from '../replica/service-api.ts'
import { scout } from '../signaling/scout.ts'
import type { KeeperEvents } from './api.ts'
import type { CheckedOptions } from './options.ts'
import type { Wires } from './wires.ts'
import type { WorkerHost } from './worker-host.ts'

type Entered = readonly [WorkerHost, Started]
export type Start = (options: Pick<StartOptions, 'create' | 'join' | 'fork'>) => Promise<Entered>

/** The pause after an answer that will not soon be another one. */
const RETRY_MIN = 250
const CONFIRM_EVERY = 1000
/** A worker that was ended has let go of what it held by then; a browser may take two seconds to stop one that is busy. */
const LET_GO_WAIT = 5000
/** How long an empty ensemble looks for another one before it goes on. */
const GIVE_WAY_WAIT = 1500

/** What a server's refusal means to who reads the notice. See signal-grants. */
const DENIED: ReadonlyMap<string, string> = new Map([
  ['young', 'the signaling server has just started, and listens for half a minute whether members tell of one'],
  ['leased', 'another page founds it now'],
  ['founded', 'it exists, and its members are away'],
  ['full', 'the signaling server remembers as many ensembles as it may'],
])

const silenceOf = (server: { readonly url: string; readonly open: boolean } | undefined): string =>
  server?.open === true
    ? `the server ${server.url} does not say whether this page may found`
    : `the server ${server?.url} cannot be reached`

/**
 * Which ensemble does this page enter? The one that this browser has a replica of; else the one whose members answer; else, with
 * `auto`, one that it founds by the grant of the first signaling server. Waits for as long as none of this is so.
 */
export class Entrance {
  readonly #wires: Wires
  readonly #options: CheckedOptions
  readonly #start: Start
  readonly #notice: (notice: KeeperEvents['notice']) => void
  /** Names this page's attempt to found. */
  readonly #claim = toHex(crypto.getRandomValues(new Uint8Array(16)))
  #told = ''

  constructor(wires: Wires, options: CheckedOptions, start: Start, notice: (notice: KeeperEvents['notice']) => void) {
    this.#wires = wires
    this.#options = options
    this.#start = start
    this.#notice = notice
  }

  /** Rejects as `Keeper.open` does. */
  async enter(): Promise<Entered> {
    const { create, join, fork, heldHere } = this.#options
    if (join !== undefined) return this.#start({ create: 'never', join })
    if (fork !== undefined) return this.#fork(fork)
    if (heldHere === true) return this.#start({ create: 'never' })
    if (!this.#wires.beyond || create === 'always') return this.#start({ create })
    const here = await this.#start({ create: 'never' }).catch((error: unknown) => {
      if (error instanceof KeeperError && error.code === 'NoNode') return null
      throw error
    })
    if (here !== null) {
      const other = here[1].untouched ? await this.#giveWay(here[1].ensemble) : null
      if (other === null) return here
      await this.#discard(here)
      return this.#start({ create: 'never', join: other })
    }
    for (let wait: number = TIMES.foundWait; ; ) {
      const sighting = await this.#scout(wait)
      if (sighting.kind === 'ensemble') return this.#start({ create: 'never', join: sighting.ensemble })
      if (sighting.kind === 'strangers')
        throw new KeeperError('WrongSecret', `Members of "${this.#options.ensemble}" are here, with another secret.`)
      const founded = await this.#found()
      if (typeof founded !== 'number') return founded
      wait = Math.max(founded, RETRY_MIN)
    }
  }

  /** The worker that ran the parent until now was this page's own, and its locks outlive it a little. */
  async #fork(parent: EnsembleId): Promise<Entered> {
    const until = performance.now() + LET_GO_WAIT
    for (;;) {
      try {
        return await this.#start({ create: 'never', join: parent, fork: true })
      } catch (error) {
        const held = error instanceof KeeperError && error.code === 'StillRunning'
        if (!held || performance.now() >= until) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MIN))
    }
  }

  async #scout(ms: number) {
    const { signal } = this.#options
    try {
      return await scout(this.#wires, ms, signal)
    } catch (error) {
      if (signal?.aborted) throw new KeeperError('Aborted', 'Aborted: by its signal', { cause: signal.reason })
      throw error
    }
  }

  /** A number: ask again after so many milliseconds. */
  async #found(): Promise<Entered | number> {
    const { servers, topic } = this.#wires
    if (this.#options.create === 'never') return this.#wait('nobody answers, and `create` is "never"')
    if (servers === null) return this.#wait('no signaling server says who may found')
    const answer = await servers.mayFound(topic, this.#claim)
    if (answer.kind === 'denied') {
      this.#wait(DENIED.get(answer.reason) ?? 'the signaling server lets nobody found now')
      return Math.min(answer.retryAfter, TIMES.foundWait)
    }
    if (answer.kind !== 'granted') return this.#wait(silenceOf(servers.status[0]))
    const grantedUntil = performance.now() + answer.lease
    const entered = await this.#start({ create: 'auto' })
    // Another page of this browser may have been faster.
    if (!entered[1].founded || (await this.#confirm(entered[1].ensemble, grantedUntil))) return entered
    await this.#discard(entered)
    return RETRY_MIN
  }

  /** What this browser founded is empty: it counts no more, where the members of another one answer and its own do not. */
  async #giveWay(own: EnsembleId): Promise<EnsembleId | null> {
    const sighting = await this.#scout(GIVE_WAY_WAIT)
    return sighting.kind === 'ensemble' && sighting.ensemble !== own ? sighting.ensemble : null
  }

  async #discard([host]: Entered): Promise<void> {
    await host.call('discard', []).catch(() => undefined)
    host.terminate()
  }

  /** Nothing is written by anybody before the grant is final. */
  async #confirm(ensemble: EnsembleId, until: number): Promise<boolean> {
    const { servers, topic } = this.#wires
    const mark = await this.#wires.mark(ensemble)
    while (performance.now() < until && this.#options.signal?.aborted !== true) {
      const answer = await servers?.confirm(topic, this.#claim, mark)
      if (answer?.kind === 'confirmed') return true
      if (answer?.kind === 'refused') return false
      await new Promise((resolve) => setTimeout(resolve, CONFIRM_EVERY))
    }
    return false
  }

  #wait(why: string): number {
    if (this.#told !== why) {
      this.#told = why
      const message = `Nobody of "${this.#options.ensemble}" was heard, and this page goes on asking: ${why}. Open it with create: 'always' to found one here, or use an invitation.`
      this.#notice({ code: 'FounderNeeded', message })
    }
    return TIMES.foundWait
  }
}
