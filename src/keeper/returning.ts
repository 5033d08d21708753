import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import type { Clock } from '../client/clock.ts'
import type { FramePipe } from '../client/frame-pipe.ts'
import type { AskOffline } from '../client/offline-reads.ts'
import type { Backing } from './backing.ts'
import type { Invitation } from './invitation.ts'
import type { Tab } from './tab.ts'

/**
 * A page's replica, over visits: what the back/forward cache keeps ends as any page does, and is opened anew when it is shown again. Its client
 * waits meanwhile; whether the session is still there, the ensemble says. HTML 7.4.6.
 */
export class Returning implements Backing {
  readonly touchedByHost = true
  readonly clock: Clock
  readonly #open: () => Promise<Tab>
  /** Aborts when the keeper closes. */
  readonly #over = new AbortController()
  #tab: Tab
  #session: string | null = null
  /** Until the page is back and its replica runs. */
  #away: Promise<void> | null = null
  #failure: KeeperError | null = null

  /** `open`: the same ensemble again. */
  constructor(tab: Tab, open: () => Promise<Tab>) {
    this.#tab = tab
    this.clock = tab.clock
    this.#open = open
    tab.onleave = this.#left
  }

  get id(): string {
    return this.#tab.id
  }
  get lateNotice(): Backing['lateNotice'] {
    return this.#tab.lateNotice
  }
  get failure(): Backing['failure'] {
    return this.#failure ?? this.#tab.failure
  }

  join(): Promise<void> {
    return this.#tab.join()
  }

  readonly connect = async (): Promise<FramePipe> => {
    await this.#away
    if (this.#failure !== null) throw this.#failure
    return this.#tab.connect()
  }

  readonly askOffline: AskOffline = (packets) => this.#tab.askOffline(packets)

  holdSession(id: string): Promise<void> {
    this.#session = id
    return this.#tab.holdSession(id)
  }

  inspect(): ReturnType<Backing['inspect']> {
    return this.#now((tab) => tab.inspect())
  }

  reconfig(voters: readonly ReplicaId[]): Promise<unknown> {
    return this.#now((tab) => tab.reconfig(voters))
  }

  giveUp(): Promise<EnsembleId> {
    return this.#now((tab) => tab.giveUp())
  }

  invitation(role: Invitation['role']): Promise<Invitation> {
    return this.#now((tab) => tab.invitation(role))
  }

  stepDown(): Promise<void> {
    return this.#now((tab) => tab.stepDown())
  }

  close(): Promise<void> {
    this.#over.abort()
    return this.#now((tab) => tab.close())
  }

  async #now<T>(act: (tab: Tab) => Promise<T>): Promise<T> {
    await this.#away
    return act(this.#tab)
  }

  readonly #left = (): void => {
    const shown = new Promise<void>((resolve) => {
      addEventListener('pageshow', () => resolve(), { once: true })
    })
    this.#away = shown
      .then(() => this.#return())
      .catch((error: unknown) => {
        const message = `The page was left, and its replica could not be opened again: ${error}`
        this.#failure = new KeeperError('SessionExpired', message, { cause: error })
        this.#away = null
      })
  }

  async #return(): Promise<void> {
    if (this.#over.signal.aborted) return
    this.#tab = await this.#open()
    this.#tab.onleave = this.#left
    await this.#tab.join()
    if (this.#session !== null) await this.#tab.holdSession(this.#session)
    this.#away = null
  }
}
