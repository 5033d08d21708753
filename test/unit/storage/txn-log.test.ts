import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, it, vi } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { openDatabase } from '../../../src/storage/database.ts'
import { openIndexedDbLog } from '../../../src/storage/indexeddb-txn-log.ts'
import { MemoryDisk, MemoryTxnLog } from '../../../src/storage/memory-txn-log.ts'
import { createLog } from '../../../src/storage/recover.ts'
import { type Database, EMPTY_STATE, type LogRecord } from '../../../src/storage/schema.ts'
import { run, type Subject, txnLogContract } from '../../conformance/txn-log.contract.ts'

const ensemble = '0123456789abcdef0123456789abcdef' as EnsembleId
const replica = 7 as ReplicaId
const STRICT = { relaxed: false, committed: 0 as Zxid }

txnLogContract('memory', async () => {
  const disk = new MemoryDisk(ensemble, replica)
  return {
    open: async () => {
      const log = new MemoryTxnLog(disk)
      return { log, recovered: log.recover() }
    },
  }
})

interface OnDisk extends Subject {
  database(): Promise<Database>
}

async function onDisk(): Promise<OnDisk> {
  const factory = new IDBFactory()
  const database = () => openDatabase(factory as never, 'log')
  const first = await database()
  await createLog(first, { ensemble, replica }, EMPTY_STATE, [])
  first.close()
  const open = async () => {
    const opened = await openIndexedDbLog(factory as never, 'log')
    if (opened === null) throw new Error('no identity')
    return opened
  }
  return { open, database }
}

txnLogContract('IndexedDB', onDisk)

async function garble(subject: OnDisk, key: Zxid, change: (record: LogRecord) => LogRecord | null): Promise<void> {
  const db = await subject.database()
  const record = await db.get('log', key)
  const changed = record === undefined ? null : change(record)
  if (changed === null) await db.delete('log', key)
  else await db.put('log', changed, key)
  db.close()
}

async function threeRecords(): Promise<OnDisk> {
  const subject = await onDisk()
  const { log } = await subject.open()
  for (const [from, to] of [
    [1, 3],
    [4, 6],
    [7, 9],
  ] as const) {
    await log.write([{ kind: 'append', entries: run(1, from, to) }], STRICT)
  }
  await log.close()
  return subject
}

const flip = (record: LogRecord): LogRecord => {
  const bytes = record.bytes.slice()
  bytes[20] = (bytes[20] ?? 0) ^ 1
  return { ...record, bytes }
}

it('writes one record a batch', async () => {
  const subject = await threeRecords()
  const db = await subject.database()
  expect(await db.getAllKeys('log')).toEqual([1, 4, 7].map((n) => makeZxid(1, n)))
})

it('cuts a garbled record off at the very end, durably, and demotes the replica: it may have been acknowledged', async () => {
  const subject = await threeRecords()
  await garble(subject, makeZxid(1, 7), flip)
  const { log, recovered } = await subject.open()
  expect(recovered.entries).toEqual(run(1, 1, 6))
  await log.write([{ kind: 'append', entries: run(2, 1, 1) }], STRICT)
  expect(recovered.demoted).toBe(true)
  const again = await subject.open()
  expect(again.recovered.entries).toEqual([...run(1, 1, 6), ...run(2, 1, 1)])
  expect(again.recovered.demoted).toBe(true)
  await again.log.write([{ kind: 'demoted', demoted: false }], STRICT)
  expect((await subject.open()).recovered.demoted).toBe(false)
})

it('never guesses: a garbled or missing record in the middle fails', async () => {
  for (const change of [flip, () => null]) {
    const subject = await threeRecords()
    await garble(subject, makeZxid(1, 4), change)
    await expect(subject.open()).rejects.toMatchObject({ code: 'StorageFailed' })
  }
})

it('fails every later write once the database was asked for by an upgrade', async () => {
  const factory = new IDBFactory()
  const db = await openDatabase(factory as never, 'log')
  await createLog(db, { ensemble, replica }, EMPTY_STATE, [])
  db.close()
  const opened = await openIndexedDbLog(factory as never, 'log')
  await new Promise((resolve) => {
    factory.deleteDatabase('log').onsuccess = resolve
  })
  const write = opened?.log.write([{ kind: 'acceptedEpoch', epoch: 1 }], STRICT)
  await expect(write).rejects.toMatchObject({ code: 'StorageFailed' })
})

it('opens with a higher incarnation than it ever had, when it was put back from a backup in between', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 1) })
  try {
    const subject = await onDisk()
    const { log } = await subject.open()
    await log.close()
    const db = await subject.database()
    const backup = await db.get('identity', 'identity')
    db.close()
    const had: number[] = []
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(60_000)
      const { log, recovered } = await subject.open()
      had.push(recovered.incarnation)
      await log.close()
    }
    const again = await subject.database()
    if (backup !== undefined) await again.put('identity', backup, 'identity')
    again.close()
    vi.advanceTimersByTime(60_000)
    expect((await subject.open()).recovered.incarnation).toBeGreaterThan(Math.max(...had))
  } finally {
    vi.useRealTimers()
  }
})

it('says by itself that its database is deleted or claimed anew, once, and not when it was closed before', async () => {
  const subject = await onDisk()
  const first = (await subject.open()).log
  const heard: string[] = []
  first.onlost = ({ code, message }) => heard.push(`${code}: ${message}`)
  const second = (await subject.open()).log
  expect(heard).toEqual([expect.stringMatching(/^StorageFailed: claimed anew/)])
  second.onlost = first.onlost
  await second.close()
  await subject.open()
  expect(heard).toHaveLength(1)
})
