import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { found } from '../../../src/node/level-recover.ts'
import { LevelStore, logKey } from '../../../src/node/level-store.ts'
import { claimLevelLog, openLevelLog } from '../../../src/node/level-txn-log.ts'
import { encodeConfig } from '../../../src/zab/membership.ts'
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

/** What another process gets: the incarnation that it may speak as, or why it may not. */
function openElsewhere(at: string): string {
  const program = `
    import { openLevelLog } from './src/node/level-txn-log.ts'
    const refuse = () => { throw new Error('it is founded already') }
    const said = await openLevelLog(${JSON.stringify(at)}, { founding: refuse }).then(
      async ({ log, recovered }) => { await log.close(); return recovered.incarnation },
      (error) => error.code ?? error.message,
    )
    console.log(said)`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

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
  const { log, recovered } = await openLevelLog(at, { founding })
  await expect(openLevelLog(at, { founding })).rejects.toMatchObject({ code: 'StorageFailed' })
  expect(openElsewhere(at)).toBe('StorageFailed')
  await log.write([{ kind: 'append', entries: run(1, 1, 1) }], STRICT)
  await log.close()
  expect(Number(openElsewhere(at))).toBeGreaterThan(recovered.incarnation)
}, 30_000)

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

it('leaves a log of a later format as it is, down to the incarnation', async () => {
  const at = directory()
  const { log } = await openLevelLog(at, { founding })
  const config = encodeConfig({ ensemble: identity.ensemble, voters: [identity.replica], old: null, format: 99 })
  await log.write([{ kind: 'append', entries: [{ zxid: makeZxid(1, 1), kind: 'config', bytes: config }] }], STRICT)
  await log.write([{ kind: 'append', entries: run(1, 2, 2) }], STRICT)
  await log.close()
  /** All that is there, `change` being done to the last record. */
  const content = async (change: (byte: number) => number = (byte) => byte) => {
    const opened = await LevelStore.open(at)
    const last = logKey(makeZxid(1, 2))
    await opened.db.put(last, Uint8Array.from((await opened.db.get(last)) ?? [], change))
    const all = await opened.db.iterator().all()
    await opened.close()
    return all.map(([key, value]) => [key, [...value]])
  }
  // The second time something is behind it that cannot be read: of the later format, for all that is known here.
  for (const change of [undefined, (byte: number) => byte ^ 1]) {
    const before = await content(change)
    await expect(openLevelLog(at, { founding })).rejects.toMatchObject({ code: 'UpdateNeeded' })
    expect(await content()).toEqual(before)
  }
})
