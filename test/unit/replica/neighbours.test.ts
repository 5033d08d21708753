import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ReplicaId, SessionId } from '../../../src/base/ids.ts'
import { sessionLock } from '../../../src/base/life-locks.ts'
import { Neighbours } from '../../../src/replica/neighbours.ts'
import { type HeldLock, tryLock } from '../../../src/storage/locks.ts'
import { MemoryLocks } from '../storage/locks.ts'
import { ENSEMBLE } from './tabs.ts'

const SESSION = '0123456789abcdef'
const OTHERS = 'fedcba9876543210fedcba9876543210'
const replicaLock = (replica: number): string => `tabkeeper:${ENSEMBLE}:${replica}`

let locks: MemoryLocks
let watchers: Neighbours[]
beforeEach(() => {
  locks = new MemoryLocks()
  watchers = []
})
afterEach(() => {
  for (const one of watchers) one.stop()
})

/** A watcher in the tab of this replica, and the deaths that it was told of. */
function watcher(self: number) {
  const gone: (ReplicaId | SessionId)[] = []
  const neighbours = new Neighbours(locks as unknown as LockManager, ENSEMBLE, self as ReplicaId, {
    gone: (who) => void gone.push(who.kind === 'replica' ? who.replica : who.session),
  })
  watchers.push(neighbours)
  return { neighbours, gone }
}

async function lives(name: string): Promise<HeldLock> {
  const held = await tryLock(locks, name)
  if (held === null) throw new Error(`${name} is held already`)
  return held
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

test('the death of a replica and of a session is told once to each who saw them alive', async () => {
  const [one, two] = [watcher(1), watcher(2)]
  const alive = [await lives(replicaLock(7)), await lives(sessionLock(ENSEMBLE, SESSION))]
  for (const { neighbours } of [one, two]) {
    await neighbours.look()
    await neighbours.look()
  }
  await settled()
  expect([one.gone, two.gone]).toEqual([[], []])
  for (const lock of alive) lock.release()
  await settled()
  for (const { neighbours } of [one, two]) await neighbours.look()
  await settled()
  const dead = [7, BigInt(`0x${SESSION}`)]
  expect([one.gone, two.gone]).toEqual([dead, dead])
})

test('a replica that was never seen alive is not dead, and one that is opened again can die again', async () => {
  const { neighbours, gone } = watcher(1)
  await neighbours.look()
  await settled()
  expect(gone).toEqual([])
  for (const deaths of [1, 2]) {
    const life = await lives(replicaLock(7))
    await neighbours.look()
    life.release()
    await settled()
    expect(gone).toEqual(Array(deaths).fill(7))
  }
})

test('another watcher that is being told of a death, and keeps the lock because it froze, is no new life', async () => {
  const { neighbours, gone } = watcher(1)
  let thaw = (): void => {}
  const told = locks.request(
    replicaLock(7),
    { mode: 'shared' },
    () =>
      new Promise<void>((resolve) => {
        thaw = resolve
      }),
  )
  await settled()
  await neighbours.look()
  thaw()
  await told
  await settled()
  expect(gone).toEqual([])
})

test('neither its own lock, nor those of other ensembles and of other libraries, are watched', async () => {
  const { neighbours, gone } = watcher(1)
  const foreign = [`tabkeeper:${OTHERS}:7`, `tabkeeper:${ENSEMBLE}:7x`, `tabkeeper:${ENSEMBLE}:claim`, 'a lock']
  const held = await Promise.all([replicaLock(1), ...foreign].map(lives))
  await neighbours.look()
  for (const lock of held) lock.release()
  await settled()
  expect(gone).toEqual([])
})

test("whoever has stopped is told nothing, and stands in nobody's way", async () => {
  const { neighbours, gone } = watcher(1)
  const life = await lives(replicaLock(7))
  await neighbours.look()
  neighbours.stop()
  life.release()
  await settled()
  await neighbours.look()
  expect(gone).toEqual([])
  const again = await lives(replicaLock(7))
  again.release()
})

test('a browser that lists its locks and grants none leaves other signs of death', async () => {
  const gone: unknown[] = []
  const refusing = {
    query: async () => ({ held: [{ name: replicaLock(7), mode: 'exclusive' }] }),
    request: () => Promise.reject(new DOMException('not here', 'SecurityError')),
  } as unknown as LockManager
  const neighbours = new Neighbours(refusing, ENSEMBLE, 1 as ReplicaId, { gone: (who) => void gone.push(who) })
  await neighbours.look()
  await settled()
  await neighbours.look()
  expect(gone).toEqual([])
  neighbours.stop()
})
