import { claimLock, type Identity, replicaLock } from './names.ts'

/** What is used of the Web Locks API. */
export interface Locks {
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    callback: (lock: object | null) => Promise<T>,
  ): Promise<T>
  query(): Promise<{ readonly held?: readonly { readonly name?: string; readonly mode?: string }[] }>
}

/** Held until `release`, or until this worker dies. */
export interface HeldLock {
  release(): void
}

/** The lock if nobody has it, else null. */
export function tryLock(locks: Locks, name: string): Promise<HeldLock | null> {
  return hold(locks, name, { ifAvailable: true })
}

/**
 * An identity, if nobody has it, else null. Others of this browser wait for its life lock in shared mode, to learn of its holder's death; one of them that is
 * frozen is granted it and keeps it. So what decides is a second lock, which nobody waits for, and the life lock is taken as soon as it can be had: until then
 * the others do not see this life, and miss its end a little.
 */
export async function tryIdentity(locks: Locks, identity: Identity): Promise<HeldLock | null> {
  const claim = await tryLock(locks, claimLock(identity))
  if (claim === null) return null
  const life = replicaLock(identity)
  const atOnce = await tryLock(locks, life)
  if (atOnce !== null) return both(claim, () => atOnce.release())
  const { held = [] } = await locks.query()
  if (held.some(({ name, mode }) => name === life && mode !== 'shared')) {
    claim.release()
    return null
  }
  const over = new AbortController()
  const later = waitForLock(locks, life, over.signal)
  later.catch(() => undefined)
  return both(claim, () => {
    over.abort()
    later.then(
      (lock) => lock.release(),
      () => undefined,
    )
  })
}

/** First the sign of life, then the identity itself: whoever takes it up finds both free. */
const both = (claim: HeldLock, endLife: () => void): HeldLock => ({
  release() {
    endLife()
    claim.release()
  },
})

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
