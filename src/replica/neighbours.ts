import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { type LifeLock, lifeLockOf } from '../base/life-locks.ts'

export interface NeighboursListener {
  /** The lock was granted to us: its holder is surely dead. */
  gone(who: LifeLock): void
}

/**
 * Watches the members of the same browser by the locks that they hold while they live: a perfect failure detector, some
 * 50 ms after a crash. A lock is watched only once it was seen held, so nobody is thought dead before it began to live.
 */
export class Neighbours {
  readonly #locks: LockManager
  readonly #ensemble: EnsembleId
  readonly #self: ReplicaId
  readonly #listener: NeighboursListener
  readonly #watched = new Set<string>()
  readonly #stop = new AbortController()

  constructor(locks: LockManager, ensemble: EnsembleId, self: ReplicaId, listener: NeighboursListener) {
    this.#locks = locks
    this.#ensemble = ensemble
    this.#self = self
    this.#listener = listener
  }

  /**
   * Watches every lock of the ensemble that is held now. To be called now and then also because the query itself makes the browser
   * give up pages of its back/forward cache, which would hold their locks on.
   */
  async look(): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { held = [] } = await this.#locks.query()
    for (const { name, mode } of held) {
      // A shared holder is a watcher like us, being told of a death this very moment.
      if (name === undefined || mode !== 'exclusive' || this.#watched.has(name)) continue
      const who = lifeLockOf(this.#ensemble, name)
      if (who !== null && !(who.kind === 'replica' && who.replica === this.#self)) this.#watch(name, who)
    }
  }

  stop(): void {
    this.#stop.abort()
  }

  #watch(name: string, who: LifeLock): void {
    const { signal } = this.#stop
    this.#watched.add(name)
    const done = () => {
      this.#watched.delete(name)
    }
    // Shared, so that all watchers are told at once; released at once, so that the next holder need not wait.
    this.#locks.request(name, { mode: 'shared', signal }, done).then(
      () => {
        if (!signal.aborted) this.#listener.gone(who)
      },
      // Aborted, or the browser refuses locks by now: other signs of death remain.
      done,
    )
  }
}
