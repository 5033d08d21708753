import type { SessionId } from '../../src/base/ids.ts'
import type { WatchEvent } from '../../src/client/api.ts'
import { Client } from '../../src/client/client.ts'
import type { Clock } from '../../src/client/clock.ts'
import type { FramePipe } from '../../src/client/frame-pipe.ts'

/** Time stands still: only what is due at once happens. */
const clock: Clock = {
  now: () => 0,
  after: (ms, then) => {
    let cancelled = false
    if (ms === 0) queueMicrotask(() => cancelled || then())
    return () => {
      cancelled = true
    }
  },
}

/** One session of a scenario: a client whose connection can be cut and held back. */
export class PlayedClient {
  readonly client: Client
  readonly chroot: string
  /** The one watcher for everything. */
  readonly watch: (event: WatchEvent) => void
  events: { readonly type: string; readonly path: string }[] = []
  readonly #connect: () => Promise<FramePipe>
  #pipe: FramePipe | null = null
  #held = false
  #waiting: ((pipe: Promise<FramePipe>) => void) | null = null

  constructor(
    connect: () => Promise<FramePipe>,
    terms: { timeout: number; chroot?: string; session?: { id: SessionId; password: Uint8Array } },
  ) {
    this.#connect = connect
    this.chroot = terms.chroot ?? ''
    this.watch = ({ type, path }) => this.events.push({ type, path })
    this.client = Client.connect(() => this.#open(), {
      clock,
      random: () => 0,
      // As those whose conversations were recorded.
      plain: true,
      touchedByHost: true,
      sessionTimeout: terms.timeout,
      ...(terms.chroot === undefined ? {} : { chroot: terms.chroot }),
      ...(terms.session === undefined ? {} : { session: terms.session }),
    })
  }

  /** Cuts the connection and keeps the client from coming back. */
  hold(): void {
    this.#held = true
    this.#pipe?.close()
  }

  release(): void {
    this.#held = false
    this.#waiting?.(this.#dial())
    this.#waiting = null
  }

  /** The final state. */
  ended(): Promise<void> {
    const { client } = this
    if (client.state === 'lost' || client.state === 'closed') return Promise.resolve()
    return new Promise((resolve) =>
      client.onState(({ state }) => {
        if (state === 'lost' || state === 'closed') resolve()
      }),
    )
  }

  suspended(): Promise<void> {
    const { client } = this
    if (client.state !== 'connected') return Promise.resolve()
    return new Promise((resolve) => client.onState(() => resolve()))
  }

  #open(): Promise<FramePipe> {
    if (!this.#held) return this.#dial()
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  async #dial(): Promise<FramePipe> {
    this.#pipe = await this.#connect()
    return this.#pipe
  }
}
