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
