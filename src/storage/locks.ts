/** What is used of the Web Locks API. */
export interface Locks {
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    callback: (lock: object | null) => Promise<T>,
  ): Promise<T>
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>
}

/** Held until `release`, or until this worker dies. */
export interface HeldLock {
  release(): void
}

/** The lock if nobody has it, else null. */
export function tryLock(locks: Locks, name: string): Promise<HeldLock | null> {
  return hold(locks, name, { ifAvailable: true })
}

/** Waits for its turn; rejects with the signal's reason. */
export async function waitForLock(locks: Locks, name: string, signal: AbortSignal | undefined): Promise<HeldLock> {
  const lock = await hold(locks, name, signal === undefined ? {} : { signal })
  // Without `ifAvailable` a request is granted or rejected.
  return lock ?? waitForLock(locks, name, signal)
}

function hold(
  locks: Locks,
  name: string,
  options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
): Promise<HeldLock | null> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (lock === null) {
          resolve(null)
          return Promise.resolve()
        }
        return new Promise<void>((release) => resolve({ release }))
      })
      .catch(reject)
  })
}
