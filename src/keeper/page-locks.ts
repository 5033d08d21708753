import type { EnsembleId } from '../base/ids.ts'
import { lifeLockOf } from '../base/life-locks.ts'

/** Holds a lock until the returned function is called; resolves once it is held. Rejects if the browser grants none. */
export function holdLock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(
        name,
        () =>
          new Promise<void>((release) => {
            resolve(release)
          }),
      )
      .catch(reject)
  })
}

/** Calls back once the lock, which is held now, is held no more: its holder is dead. */
export function watchLock(name: string, signal: AbortSignal, gone: () => void): void {
  navigator.locks
    .request(name, { mode: 'shared', signal }, () => undefined)
    .then(
      () => {
        if (!signal.aborted) gone()
      },
      // Aborted; or no locks any more, and then the worker's own events must do.
      () => undefined,
    )
}

/**
 * Does another page of this browser run a replica of this ensemble? Whoever holds `own` is this page's worker: it may run those of dead tabs, too.
 */
export async function runsElsewhere(ensemble: EnsembleId, own: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query()
  const exclusive = held.filter(({ mode }) => mode === 'exclusive')
  const worker = exclusive.find(({ name }) => name === own)?.clientId
  return exclusive.some(
    ({ name = '', clientId }) => clientId !== worker && lifeLockOf(ensemble, name)?.kind === 'replica',
  )
}
