import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hold, LockLostError } from '../../../src/recipes/hold.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs()
})
afterEach(() => tabs.close())

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code: string }).code,
  )

describe('an exclusive lock', () => {
  test('is held by one at a time, in the order of asking', async () => {
    const pages = [await tabs.open(), await tabs.open(), await tabs.open()].map((tab) => new Locks(tab))
    const log: string[] = []
    const results = pages.map((locks, i) =>
      locks.request('doc', async () => {
        log.push(`in ${i}`)
        await tabs.server.settled()
        log.push(`out ${i}`)
        return i
      }),
    )
    expect(await tabs.until(Promise.all(results))).toEqual([0, 1, 2])
    expect(log).toEqual(['in 0', 'out 0', 'in 1', 'out 1', 'in 2', 'out 2'])
    expect(await tabs.until((pages[0] as Locks).query())).toEqual({ held: [], pending: [] })
  })

  test('has a token that grows and a guard that is refused afterwards', async () => {
    const [a, b] = [await tabs.open(), await tabs.open()]
    const first = await tabs.until(new Locks(a).acquire('doc'))
    await tabs.until(a.client.multi([first.guard(), { op: 'create', path: '/mine' }]))
    await tabs.until(first.release())
    expect(first.signal.reason).toBeInstanceOf(LockLostError)
    expect(await tabs.until(rejection(a.client.multi([first.guard(), { op: 'create', path: '/late' }])))).toBe('NoNode')
    const second = await tabs.until(new Locks(b).acquire('doc'))
    expect(second.token.zxid).toBeGreaterThan(first.token.zxid)
    await tabs.until(second.release())
    await tabs.until(second.release())
  })

  test('has a token that grows also for one who has waited since before it was stolen', async () => {
    const [a, b, c] = [await tabs.open(), await tabs.open(), await tabs.open()]
    const first = await tabs.until(new Locks(a).acquire('doc'))
    const waiting = new Locks(b).acquire('doc')
    await tabs.pass(50)
    const stolen = await tabs.until(new Locks(c).request('doc', { steal: true }, ({ token }) => token))
    expect(stolen.zxid).toBeGreaterThan(first.token.zxid)
    const last = await tabs.until(waiting)
    expect(last.token.zxid).toBeGreaterThan(stolen.zxid)
  })

  test('comes free when the session of its holder expires', async () => {
    const [a, b] = [await tabs.open(4000), await tabs.open(60_000)]
    const hold = await tabs.until(new Locks(a).acquire('doc'))
    a.freeze()
    const start = tabs.server.now
    const next = await tabs.until(new Locks(b).acquire('doc'))
    expect(tabs.server.now - start).toBeGreaterThan(2000)
    expect(next.token.zxid).toBeGreaterThan(hold.token.zxid)
  })

  test('does not wait with ifAvailable, nor past a timeout, nor when aborted; and leaves no place in the line', async () => {
    const [a, b] = [await tabs.open(), await tabs.open()]
    const hold = await tabs.until(new Locks(a).acquire('doc'))
    const locks = new Locks(b)
    expect(await tabs.until(locks.request('doc', { ifAvailable: true }, (got) => got === null))).toBe(true)
    expect(await tabs.until(rejection(locks.acquire('doc', { timeout: 300 })))).toBe('Timeout')
    const stop = new AbortController()
    const waiting = rejection(locks.acquire('doc', { signal: stop.signal }))
    await tabs.pass(50)
    expect((await tabs.until(locks.query('doc'))).pending).toHaveLength(1)
    stop.abort('enough')
    expect(await tabs.until(waiting)).toBe('Aborted')
    await tabs.pass(50)
    const { held, pending } = await tabs.until(locks.query())
    expect(held).toMatchObject([{ name: 'doc', mode: 'exclusive', session: a.client.sessionId }])
    expect(pending).toEqual([])
    await tabs.until(hold.release())
    expect(await tabs.until(locks.request('doc', { ifAvailable: true }, (got) => got === null))).toBe(false)
  })

  test('gives up on a broken connection, or holds on until the session is over, as asked', async () => {
    const a = await tabs.open()
    const locks = new Locks(a)
    const careful = await tabs.until(locks.acquire('careful'))
    const bold = await tabs.until(locks.acquire('bold', { lossPolicy: 'lost' }))
    a.cut()
    await tabs.pass(1000)
    expect((careful.signal.reason as LockLostError).loss).toBe('suspended')
    expect(bold.signal.aborted).toBe(false)
    await tabs.until(a.client.multi([bold.guard()]))
    const session = a.client.sessionId
    tabs.server.stop()
    tabs.server.cut()
    await tabs.pass(100)
    tabs.server.start()
    tabs.server.expire(session)
    await tabs.pass(3000)
    expect((bold.signal.reason as LockLostError).loss).toBe('lost')
  })

  test('is revoked by deleting its node', async () => {
    const [a, b] = [await tabs.open(), await tabs.open()]
    const hold = await tabs.until(new Locks(a).acquire('doc'))
    await tabs.until(b.client.delete(hold.token.path))
    await tabs.pass(50)
    expect((hold.signal.reason as LockLostError).loss).toBe('revoked')
  })

  test('finds its own place again after a lost reply: one node, not two', async () => {
    const a = await tabs.open()
    const locks = new Locks(a)
    await tabs.until(locks.request('doc', () => null))
    let frames = 0
    tabs.fate = () => (++frames === 1 ? 'cut after' : 'passes')
    const hold = await tabs.until(locks.acquire('doc', { lossPolicy: 'lost' }))
    const { held, pending } = await tabs.until(locks.query('doc'))
    expect([held.length, pending.length]).toEqual([1, 0])
    await tabs.until(hold.release())
  })
})

test('a shared lock is held together, and writers do not starve', async () => {
  const locks = new Locks(await tabs.open())
  const shared = (): Promise<Hold> => locks.acquire('doc', { mode: 'shared' })
  const [one, two] = await tabs.until(Promise.all([shared(), shared()]))
  const log: string[] = []
  const writer = locks.acquire('doc').then((hold) => {
    log.push('writer')
    return hold
  })
  await tabs.pass(50)
  const third = shared().then((hold) => {
    log.push('reader')
    return hold
  })
  await tabs.pass(100)
  expect(log).toEqual([])
  await tabs.until(Promise.all([one?.release(), two?.release()]))
  const held = await tabs.until(writer)
  await tabs.pass(100)
  expect(log).toEqual(['writer'])
  await tabs.until(held.release())
  await tabs.until(third)
  expect(log).toEqual(['writer', 'reader'])
})

test('arguments are refused by name', async () => {
  const locks = new Locks(await tabs.open())
  for (const [call, path] of [
    [() => locks.acquire(''), 'name'],
    [() => locks.acquire('a', { mode: 'both' as 'shared' }), 'mode'],
    [() => locks.acquire('a', { timeout: -1 }), 'timeout'],
  ] as const) {
    await expect(tabs.until(call())).rejects.toMatchObject({ code: 'BadArguments', path })
  }
})
