import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { found } from '../../../src/node/level-recover.ts'
import { LevelStore, logKey } from '../../../src/node/level-store.ts'
import { claimLevelLog, openLevelLog } from '../../../src/node/level-txn-log.ts'
import { run, txnLogContract } from '../../conformance/txn-log.contract.ts'

const identity = { ensemble: '0123456789abcdef0123456789abcdef' as EnsembleId, replica: 7 as ReplicaId }
const STRICT = { relaxed: false, committed: 0 as Zxid }
const top = mkdtempSync(join(tmpdir(), 'tabkeeper-level-'))
const stores: LevelStore[] = []
let count = 0
const directory = () => join(top, String(++count))
const founding = () => ({ ...identity, entries: [] })

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  rmSync(top, { recursive: true, force: true })
})

async function store(): Promise<LevelStore> {
  const opened = await LevelStore.open(directory())
  stores.push(opened)
  await found(opened, identity, [])
  return opened
}

txnLogContract('LevelDB', async () => {
  const opened = await store()
  return { open: () => claimLevelLog(opened) }
})

it('is there again after closing, with its identity, and founds only once', async () => {
  const at = directory()
  const first = await openLevelLog(at, { founding: () => ({ ...identity, entries: run(1, 1, 2) }) })
  await first.log.write([{ kind: 'append', entries: run(1, 3, 3) }], STRICT)
  await first.log.close()
  const { log, recovered } = await openLevelLog(at, { founding: () => expect.unreachable() })
  expect(recovered).toMatchObject({ ...identity, entries: run(1, 1, 3) })
  expect(recovered.incarnation).toBeGreaterThan(first.recovered.incarnation)
  expect((await log.usage()).bytes).toBeGreaterThan(0)
  await log.close()
})

it('has one owner among all processes', async () => {
  const at = directory()
  const { log } = await openLevelLog(at, { founding })
  await expect(openLevelLog(at, { founding })).rejects.toMatchObject({ code: 'StorageFailed' })
  await log.close()
})

it('refuses a log with a hole, and a garbled record, rather than guess', async () => {
  const opened = await store()
  const { log } = await claimLevelLog(opened)
  for (const [from, to] of [
    [1, 2],
    [3, 4],
    [5, 6],
  ] as const) {
    await log.write([{ kind: 'append', entries: run(1, from, to) }], STRICT)
  }
  const key = logKey(makeZxid(1, 3))
  const bytes = (await opened.db.get(key)) as Uint8Array
  await opened.db.put(key, bytes.with(bytes.length - 1, 0))
  await expect(claimLevelLog(opened)).rejects.toThrow(/garbled/)
  await opened.db.del(key)
  await expect(claimLevelLog(opened)).rejects.toThrow(/hole/)
  await opened.db.put(key, bytes)
  expect((await claimLevelLog(opened)).recovered.entries).toEqual(run(1, 1, 6))
})

it('forgets half a snapshot', async () => {
  const opened = await store()
  await opened.db.put('snapshot/00000000000005/00000000000001/00000000000000', new Uint8Array(5))
  const { recovered } = await claimLevelLog(opened)
  expect(recovered.snapshot).toEqual([])
  expect(await opened.db.keys({ gte: 'snapshot/', lt: 'snapshot/~' }).all()).toEqual([])
})
