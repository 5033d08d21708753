import type { SessionId } from '../base/ids.ts'
import type { ReplicaHost } from './api.ts'

/**
 * Sessions whose pages are surely gone, until the ensemble has closed them. The leader may have died with the page, so one word
 * is not enough: it is repeated until the session is not in the tree any more.
 */
export class Farewells {
  readonly #replica: Pick<ReplicaHost, 'endSession' | 'inspect'>
  readonly #sessions = new Set<SessionId>()
  #serving = false

  constructor(replica: Pick<ReplicaHost, 'endSession' | 'inspect'>) {
    this.#replica = replica
  }

  add(session: SessionId): void {
    this.#sessions.add(session)
    if (this.#serving) this.#replica.endSession(session)
  }

  /** Does the replica take requests now? */
  serving(yes: boolean): void {
    const again = yes && !this.#serving
    this.#serving = yes
    if (again) for (const session of this.#sessions) this.#replica.endSession(session)
  }

  /** To be called now and then. */
  repeat(): void {
    if (!this.#serving || this.#sessions.size === 0) return
    const asked = [...this.#sessions]
    this.#replica.inspect().then(
      ({ server, serving }) => {
        const alive = new Set(server.sessions.map(({ id }) => id))
        for (const session of asked) {
          if (alive.has(session)) this.#replica.endSession(session)
          else if (serving) this.#sessions.delete(session)
        }
      },
      () => undefined,
    )
  }
}
