import 'fake-indexeddb/auto'
import { expect, it, test, vi } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { epochOf, makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { encodeRequest } from '../../../src/jute/protocol.ts'
import { fork } from '../../../src/replica/fork.ts'
import { Server } from '../../../src/server/server.ts'
import type { ClaimOptions } from '../../../src/storage/claim.ts'
import type { Recovered } from '../../../src/storage/txn-log.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import { decodeConfig } from '../../../src/zab/membership.ts'
import { begin, browser, clock, codeOf, orphan, written } from './parent.ts'

const child = { ensemble: 'c'.repeat(32) as EnsembleId, replica: 42 as ReplicaId }

/** What a replica of the parent holds: the first `behind` of its entries in a snapshot. */
function parent(behind: number, more: Partial<Recovered> = {}): Recovered {
  const server = new Server()
  const entries = written(10)
  for (const { zxid, bytes } of entries.slice(0, behind)) server.apply(zxid, bytes)
  const base = behind === 0 ? (0 as Zxid) : (entries[behind - 1]?.zxid as Zxid)
  return {
    ...{ ensemble: 'a'.repeat(32) as EnsembleId, replica: 7 as ReplicaId, incarnation: 3, memory: [], demoted: false },
    ...{ acceptedEpoch: 3, currentEpoch: 3, base, baseConfig: null, committed: base },
    snapshot: behind === 0 ? [] : [...server.snapshot()],
    entries: entries.slice(behind),
    ...more,
  }
}

function restored({ base, snapshot }: ReturnType<typeof fork>): Server {
  const server = new Server()
  server.restore(base, [...snapshot])
  return server
}

test.each([0, 3, 8, written(10).length])('of a log whose first %d entries are in a snapshot, all of it', (behind) => {
  const whole = new Server()
  for (const { zxid, bytes } of written(10)) whole.apply(zxid, bytes)
  const server = restored(fork(parent(behind), child, new Server(), clock))
  // The ephemeral is gone with its session.
  expect(server.status()).toMatchObject({ znodes: whole.status().znodes - 1, sessions: [] })
})

test('its epoch is above whatever the log knows of, an epoch that was only promised, or only begun', () => {
  const epoch = (more: Partial<Recovered>) => fork(parent(5, more), child, new Server(), clock).epoch
  expect(epoch({})).toBe(4)
  expect(epoch({ acceptedEpoch: 8 })).toBe(9)
  expect(epoch({ acceptedEpoch: 8, currentEpoch: 7 })).toBe(9)
  expect(epoch({ acceptedEpoch: 0, currentEpoch: 6 })).toBe(7)
  expect(epoch({ acceptedEpoch: 0, currentEpoch: 0 })).toBe(4)
  expect(epoch({ acceptedEpoch: 0, currentEpoch: 0, entries: [] })).toBe(4)
})

test('it is an ensemble of its own, with one voter, and says so at /zookeeper/config', () => {
  const begun = fork(parent(5), child, new Server(), clock)
  expect(decodeConfig(begun.config.bytes)).toMatchObject({ ...{ ensemble: child.ensemble, old: null }, voters: [42] })
  expect(begun.config).toMatchObject({ kind: 'config', zxid: makeZxid(4, 1) })
  const question = encodeRequest(1, { kind: 'getData', path: '/zookeeper/config', watch: false })
  const answer = new TextDecoder().decode(restored(begun).answerOffline(question) ?? undefined)
  expect(answer).toContain('server.42=tab:participant')
})

test('each session of the parent ends by a txn of its own, and the fork begins behind the last of them', () => {
  // Two records of the founding, two sessions.
  const begun = fork(parent(5), child, new Server(), clock)
  expect(begun.base).toBe(makeZxid(4, 4))
  expect(restored(begun).applied).toBe(begun.base)
})

it('begins where the parent has only a snapshot, and says how far that went', async () => {
  const pages = browser()
  const { voter, config, last } = await orphan(pages)
  const { ensemble } = voter.recovered
  const server = new Server()
  for (const { zxid, bytes } of written(10)) server.apply(zxid, bytes)
  await voter.log.saveSnapshot(last, config, server.snapshot(), last)
  await voter.release()
  const forked = await pages.claim({ create: 'never', ensemble, fork: begin })
  expect(forked.recovered.forkedFrom).toEqual({ ensemble, zxid: last })
  const again = new Server()
  again.restore(forked.recovered.base, forked.recovered.snapshot)
  expect(again.status().znodes).toBe(server.status().znodes - 1)
})

it("is durable before it is anybody's", async () => {
  const pages = browser()
  const { voter } = await orphan(pages)
  const { ensemble } = voter.recovered
  await voter.release()
  const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction')
  try {
    await pages.claim({ create: 'never', ensemble, fork: begin })
    const begun = transactions.mock.results.flatMap(({ value }) => (value instanceof IDBTransaction ? [value] : []))
    const writes = begun.filter(({ mode }) => mode === 'readwrite')
    const identities = writes.filter(({ objectStoreNames }) => objectStoreNames.contains('identity'))
    expect(identities.length).toBeGreaterThan(1)
    expect(identities.map(({ durability }) => durability)).toEqual(identities.map(() => 'strict'))
  } finally {
    transactions.mockRestore()
  }
})

it('minds nothing but the logs of its parent: not another ensemble of that name, its pages, its later logs or its format', async () => {
  const pages = browser()
  const { voter, last } = await orphan(pages)
  const { ensemble } = voter.recovered
  const running = await pages.claim({ create: 'always' })
  const free = await pages.claim({ create: 'always' })
  const far: Entry = { zxid: makeZxid(7, 1), kind: 'format', bytes: new Uint8Array(4) }
  await free.log.write(
    [
      { kind: 'acceptedEpoch', epoch: 7 },
      { kind: 'append', entries: [far] },
      { kind: 'currentEpoch', epoch: 7 },
    ],
    { relaxed: false, committed: far.zxid },
  )
  await voter.release()
  await free.release()
  const claim = (demandReadable: ClaimOptions['demandReadable']) =>
    pages.claim({ create: 'never', ensemble, fork: begin, demandReadable })
  const readable = await claim(() => undefined)
  expect(readable.recovered.forkedFrom).toEqual({ ensemble, zxid: last })
  const later = await claim(({ entries }) => {
    if (entries.some(({ zxid }) => epochOf(zxid) === 7)) throw new KeeperError('UpdateNeeded', 'of a later format')
  })
  expect(later.recovered.forkedFrom?.ensemble).toBe(ensemble)
  expect(new Set([running, readable, later].map(({ recovered }) => recovered.ensemble)).size).toBe(3)
})

it('is not refused for a log of this browser that nobody can read: what is in it is lost', async () => {
  const pages = browser()
  const broken = await pages.claim()
  const { voter } = await orphan(pages)
  const { ensemble, replica } = broken.recovered
  await broken.release()
  await voter.release()
  const garbled: ClaimOptions['demandReadable'] = ({ entries }) => {
    if (!entries.some(({ zxid }) => epochOf(zxid) === 3)) throw new KeeperError('StorageFailed', 'garbled')
  }
  expect(voter.recovered.replica).not.toBe(replica)
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin, demandReadable: garbled }))).toBe('Ok')
})
