import './in-page.ts'

/** What both have: `navigator.locks`, and `keeper.locks` across devices. */
interface LocksAlike {
  request<T>(name: string, callback: (lock: Lock | null) => T | PromiseLike<T>): Promise<T>
  request<T>(name: string, options: LockOptions, callback: (lock: Lock | null) => T | PromiseLike<T>): Promise<T>
  query(): Promise<LockManagerSnapshot>
}

/** The result of each case, by its name. One function with all that it needs: its source is what runs in the page. */
export async function runWebLocks(which: string): Promise<Record<string, unknown>> {
  const locks = (which === 'keeper' ? window.keeper.locks : navigator.locks) as unknown as LocksAlike
  const never = (): Promise<never> => new Promise(() => {})
  const nameOf = (error: unknown): string => (error instanceof DOMException ? error.name : String(error))
  const outcome = (promise: Promise<unknown>): Promise<string> => promise.then(String, nameOf)

  /** A lock that is held until `release` is called. */
  function hold(locks: LocksAlike, name: string, options: LockOptions = {}) {
    let release: (value?: unknown) => void = () => {}
    let granted: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      granted = resolve
    })
    const over = locks.request(name, options, () => {
      granted()
      return new Promise<unknown>((resolve) => {
        release = resolve
      })
    })
    over.catch(() => undefined)
    return { held, over, release: (value?: unknown) => release(value) }
  }

  /** Until the request is in the line: one has to ask, for its answer is all that can be seen. */
  async function pending(locks: LocksAlike, name: string, count: number): Promise<void> {
    const waiting = async () => ((await locks.query()).pending ?? []).filter((one) => one.name === name).length
    while ((await waiting()) < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  /** The cases, after those of web-platform-tests. Each gives what can be compared. */
  const CASES: Record<string, (locks: LocksAlike, name: string) => Promise<unknown>> = {
    'the callback’s value is the result, also where it is no promise': async (locks, name) => [
      await locks.request(name, () => 7),
      await locks.request(name, async () => 'later'),
      await locks.request(name, () => undefined),
    ],
    'the lock tells its name and mode': async (locks, name) => [
      await locks.request(name, (lock) => lock?.name === name && lock.mode),
      await locks.request(name, { mode: 'shared' }, (lock) => lock?.mode),
    ],
    'what the callback throws is what the promise rejects with, and the lock is free': async (locks, name) => {
      const thrown = Object.fromEntries([['then', () => 'not called']])
      const same: boolean[] = []
      const ways = [
        () => {
          throw thrown
        },
        async () => {
          throw thrown
        },
      ]
      for (const way of ways) {
        await locks.request(name, way).catch((error: unknown) => same.push(error === thrown))
      }
      return [same, await locks.request(name, { ifAvailable: true }, (lock) => lock !== null)]
    },
    'exclusive ones come one after the other, in the order of asking': async (locks, name) => {
      const order: number[] = []
      const first = hold(locks, name)
      await first.held
      const others = [1, 2, 3].map((i) => locks.request(name, async () => void order.push(i)))
      first.release()
      await Promise.all(others)
      return order
    },
    'shared ones come together; an exclusive one waits for them, and later ones for it': async (locks, name) => {
      const order: string[] = []
      const [one, two] = [hold(locks, name, { mode: 'shared' }), hold(locks, name, { mode: 'shared' })]
      await Promise.all([one.held, two.held])
      const writer = locks.request(name, () => void order.push('writer'))
      const reader = locks.request(name, { mode: 'shared' }, () => void order.push('reader'))
      await pending(locks, name, 2)
      order.push('released')
      one.release()
      two.release()
      await Promise.all([writer, reader])
      return order
    },
    'ifAvailable gives null instead of waiting, behind holders and behind those who wait': async (locks, name) => {
      const got: boolean[] = []
      const ask = (options: LockOptions) =>
        locks.request(name, { ...options, ifAvailable: true }, (lock) => void got.push(lock !== null))
      const shared = hold(locks, name, { mode: 'shared' })
      await shared.held
      await ask({})
      await ask({ mode: 'shared' })
      const writer = hold(locks, name)
      await pending(locks, name, 1)
      await ask({ mode: 'shared' })
      shared.release()
      await writer.held
      await ask({ mode: 'shared' })
      writer.release()
      await writer.over
      await ask({})
      return got
    },
    'a lock that is stolen: its request rejects, those who wait wait on': async (locks, name) => {
      const order: string[] = []
      const robbed = hold(locks, name)
      await robbed.held
      const waiting = locks.request(name, () => void order.push('waited'))
      await pending(locks, name, 1)
      await locks.request(name, { steal: true }, () => void order.push('thief'))
      await waiting
      return [order, await outcome(robbed.over)]
    },
    'the last thief wins': async (locks, name) => {
      const first = hold(locks, name, { steal: true })
      await first.held
      return [await locks.request(name, { steal: true }, () => 'second'), await outcome(first.over)]
    },
    'a signal that is aborted already ends the request with its reason': async (locks, name) => {
      const request = (signal: AbortSignal) => outcome(locks.request(name, { signal }, () => 'granted'))
      return [await request(AbortSignal.abort('my dog ate it')), await request(AbortSignal.abort())]
    },
    'a signal ends the waiting with its reason, and the next one gets the lock': async (locks, name) => {
      const first = hold(locks, name)
      await first.held
      const stop = new AbortController()
      const second = outcome(locks.request(name, { signal: stop.signal }, () => 'granted'))
      const third = locks.request(name, () => 'third')
      await pending(locks, name, 2)
      stop.abort('enough')
      const ended = await second
      first.release()
      return [ended, await third]
    },
    'a signal that aborts at once ends the request, although the lock is free': async (locks, name) => {
      const stop = new AbortController()
      let got = false
      const request = outcome(
        locks.request(name, { signal: stop.signal }, () => {
          got = true
        }),
      )
      stop.abort()
      return [await request, got, await locks.request(name, () => 'free')]
    },
    'a signal does not end what is held': async (locks, name) => {
      const stop = new AbortController()
      const held = hold(locks, name, { signal: stop.signal })
      await held.held
      stop.abort()
      held.release('kept')
      return await outcome(held.over)
    },
    'query tells who holds and who waits, with name, mode and clientId': async (locks, name) => {
      const first = hold(locks, name)
      await first.held
      const others = [hold(locks, name, { mode: 'shared' }), hold(locks, name, { mode: 'shared' })]
      await pending(locks, name, 2)
      const { held = [], pending: waiting = [] } = await locks.query()
      const show = (all: LockInfo[]) => all.filter((one) => one.name === name).map(({ mode }) => mode)
      const clients = new Set([...held, ...waiting].filter((one) => one.name === name).map(({ clientId }) => clientId))
      const text = [...clients].every((id) => typeof id === 'string')
      first.release()
      await Promise.all(
        others.map(async (other) => {
          await other.held
          other.release()
          await other.over
        }),
      )
      const after = await locks.query()
      return [show(held), show(waiting), clients.size, text, show([...(after.held ?? []), ...(after.pending ?? [])])]
    },
    'bad calls are refused, and take nothing': async (locks, name) => {
      const refused = async (...args: readonly unknown[]): Promise<boolean> => {
        const request = locks.request as (...all: unknown[]) => Promise<unknown>
        return await request.apply(locks, [...args]).then(
          () => false,
          () => true,
        )
      }
      const all = [
        await refused(name),
        await refused(name, null),
        await refused(name, {}),
        await refused(name, { mode: 'both' }, never),
        await refused(name, { mode: null }, never),
        await refused(name, { steal: true, ifAvailable: true }, never),
        await refused(name, { steal: true, mode: 'shared' }, never),
        await refused(name, { signal: 'no signal' }, never),
      ]
      return [all, await locks.request(name, { ifAvailable: true }, (lock) => lock !== null)]
    },
  }

  const results: Record<string, unknown> = {}
  let count = 0
  for (const [name, run] of Object.entries(CASES)) {
    const late = new Promise((resolve) => setTimeout(resolve, 8000, 'never ended'))
    results[name] = await Promise.race([run(locks, `case/${++count}`).catch((error: unknown) => `${error}`), late])
  }
  return results
}
