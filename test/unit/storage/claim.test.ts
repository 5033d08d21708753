import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { describe, expect, it, vi } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { KeeperError } from '../../../src/base/errors.ts'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid } from '../../../src/base/zxid.ts'
import { checksum } from '../../../src/storage/checksum.ts'
import { type Claim, type ClaimOptions, claimIdentity, claimReplica } from '../../../src/storage/claim.ts'
import { openDatabase } from '../../../src/storage/database.ts'
import { databaseName, identityOf, replicaLock } from '../../../src/storage/names.ts'
import { CLAIMS, type LogRecord, SCHEMA_VERSION } from '../../../src/storage/schema.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import { MemoryLocks } from './locks.ts'

/** Pages of one browser: they share databases and locks. */
function browser() {
  const databases = new IDBFactory() as never as globalThis.IDBFactory
  const locks = new MemoryLocks()
  const claim = (options: Partial<ClaimOptions> = {}) =>
    claimReplica({ name: 'shop', create: 'auto', founding, votersOf, demandReadable, databases, locks, ...options })
  return { databases, locks, claim }
}

const founding = (_: EnsembleId, replica: ReplicaId): Entry[] => [
  { zxid: makeZxid(0, 1), kind: 'config', bytes: utf8(String(replica)) },
  { zxid: makeZxid(0, 2), kind: 'format', bytes: utf8('1') },
]
const votersOf = (config: Entry): ReplicaId[] =>
  new TextDecoder()
    .decode(config.bytes)
    .split(',')
    .map((id) => Number(id) as ReplicaId)
/** In these logs a record says which format it is of. */
const demandReadable: ClaimOptions['demandReadable'] = ({ baseConfig, entries }) => {
  for (const entry of [baseConfig, ...entries])
    if (entry?.kind === 'format' && new TextDecoder().decode(entry.bytes) !== '1')
      throw new KeeperError('UpdateNeeded', 'of a later format')
}
const STRICT = { relaxed: false, committed: makeZxid(0, 0) }
const databaseNames = async (databases: globalThis.IDBFactory) =>
  (await databases.databases()).flatMap(({ name }) => (identityOf('shop', name ?? '') === null ? [] : [name]))

describe('claimReplica', () => {
  it('founds where nothing is known, with the founding records in the log', async () => {
    const claim = await browser().claim()
    expect(claim).toMatchObject({ founded: true, others: [] })
    expect(claim.recovered.entries).toEqual(founding(claim.recovered.ensemble, claim.recovered.replica))
  })

  it('lets a second tab join the same ensemble with an empty log; all tabs are one browser', async () => {
    const { claim } = browser()
    const [a, b] = await Promise.all([claim(), claim()])
    expect([a.founded, b.founded].sort()).toEqual([false, true])
    expect(a.recovered.ensemble).toBe(b.recovered.ensemble)
    expect(a.recovered.replica).not.toBe(b.recovered.replica)
    expect((a.founded ? b : a).recovered.entries).toEqual([])
    expect(a.browser).toBe(b.browser)
  })

  it('tells a tab that it waits for its turn', async () => {
    const { claim } = browser()
    let waited = 0
    await Promise.all([claim(), claim({ onWaiting: () => waited++ })])
    expect(waited).toBe(1)
  })

  it("takes up a voter's identity first, with a higher incarnation", async () => {
    const { claim } = browser()
    const voter = await claim()
    const observer = await claim()
    await observer.log.write(
      [
        {
          kind: 'append',
          entries: [...voter.recovered.entries, { zxid: makeZxid(1, 1), kind: 'txn', bytes: utf8('x') }],
        },
      ],
      STRICT,
    )
    await observer.release()
    await voter.release()
    const again = await claim()
    expect(again.founded).toBe(false)
    expect(again.recovered.replica).toBe(voter.recovered.replica)
    expect(again.recovered.incarnation).toBeGreaterThan(voter.recovered.incarnation)
    expect((await claim()).recovered.replica).toBe(observer.recovered.replica)
  })

  it('deletes what nobody will miss: the log of one that was voted out, and that of an observer after a week', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 5, 1) })
    try {
      const { databases, claim } = browser()
      const tabs = [await claim(), await claim(), await claim(), await claim()]
      const [voter, retired, observer, ahead] = tabs as [Claim, Claim, Claim, Claim]
      const ids = tabs.map(({ recovered }) => recovered.replica)
      const config = (n: number, voters: readonly number[]): Entry => ({
        ...{ zxid: makeZxid(1, n), kind: 'config', bytes: utf8(voters.join(',')) },
      })
      const both = config(1, ids.slice(0, 2))
      const [first, later] = [voter.recovered.entries, config(3, ids.slice(0, 1))]
      const txn: Entry = { zxid: makeZxid(1, 2), kind: 'txn', bytes: utf8('x') }
      const more: Entry = { zxid: makeZxid(1, 4), kind: 'txn', bytes: utf8('y') }
      const knows = (n: number) => ({ relaxed: false, committed: makeZxid(1, n) })
      await voter.log.write([{ kind: 'append', entries: [both, txn, later] }], knows(2))
      await retired.log.write([{ kind: 'append', entries: [...first, both, txn] }], knows(1))
      await observer.log.write([{ kind: 'append', entries: [...first, both] }], knows(1))
      await ahead.log.write([{ kind: 'append', entries: [...first, both, txn, later, more] }], knows(4))
      for (const tab of tabs) await tab.release()
      const left = async () => new Set(await databaseNames(databases))
      const nameOf = (tab: Claim) => databaseName('shop', tab.recovered)

      // The voter does not know yet that the configuration without the other one is committed.
      const again = await claim()
      expect(again.recovered.replica).toBe(voter.recovered.replica)
      expect((await left()).size).toBe(4)
      await again.log.write([{ kind: 'append', entries: [{ ...more, bytes: utf8('z') }] }], knows(4))
      await again.release()

      await (await claim()).release()
      expect(await left()).toEqual(new Set([voter, observer, ahead].map(nameOf)))
      vi.setSystemTime(Date.UTC(2026, 5, 9))
      await (await claim()).release()
      expect(await left()).toEqual(new Set([voter].map(nameOf)))
    } finally {
      vi.useRealTimers()
    }
  })

  it("takes up a dead tab's identity although a frozen tab was waiting for its lock; not one that lives", async () => {
    const { claim, databases, locks } = browser()
    const dead = await claim()
    const { ensemble, replica } = dead.recovered
    const take = () => claimIdentity({ name: 'shop', databases, locks, demandReadable }, { ensemble, replica })
    expect(await take()).toBeNull()
    // Another tab watches the lock, freezes, and is granted it when the holder dies.
    void locks.request(replicaLock({ ensemble, replica }), { mode: 'shared' }, () => new Promise(() => {}))
    await dead.release()
    const taken = await take()
    expect(taken?.recovered.replica).toBe(replica)
    expect(taken?.recovered.incarnation).toBeGreaterThan(dead.recovered.incarnation)
    expect(await take()).toBeNull()
    await taken?.release()
    expect(await take()).not.toBeNull()
  })

  it('does not take up an identity whose holder knows no second lock', async () => {
    const { claim, databases, locks } = browser()
    const before = await claim()
    const { ensemble, replica } = before.recovered
    await before.release()
    void locks.request(replicaLock({ ensemble, replica }), {}, () => new Promise(() => {}))
    expect(await claimIdentity({ name: 'shop', databases, locks, demandReadable }, { ensemble, replica })).toBeNull()
  })

  it('deletes what a crashed founder left, and founds', async () => {
    const { claim, databases } = browser()
    const left = databaseName('shop', { ensemble: 'f'.repeat(32) as EnsembleId, replica: 5 as ReplicaId })
    ;(await openDatabase(databases, left)).close()
    const claimed = await claim()
    expect(claimed.founded).toBe(true)
    expect(await databaseNames(databases)).toEqual([databaseName('shop', claimed.recovered)])
  })

  it("refuses 'never' where nothing is known, and founds nothing", async () => {
    const { claim, databases } = browser()
    await expect(claim({ create: 'never' })).rejects.toMatchObject({ code: 'NoNode' })
    expect(await databaseNames(databases)).toEqual([])
    expect((await claim()).founded).toBe(true)
  })

  it('leaves a database of a later schema alone and does not found beside it', async () => {
    const { claim, databases } = browser()
    const name = databaseName('shop', { ensemble: 'e'.repeat(32) as EnsembleId, replica: 5 as ReplicaId })
    await new Promise<void>((resolve) => {
      const request = databases.open(name, (SCHEMA_VERSION + 1) * CLAIMS)
      request.onsuccess = () => {
        request.result.close()
        resolve()
      }
    })
    const [found, known] = [`has schema ${SCHEMA_VERSION + 1}`, `knows schema ${SCHEMA_VERSION}`]
    await expect(claim()).rejects.toMatchObject({
      code: 'UpdateNeeded',
      message: expect.stringMatching(`${found}, this page ${known}`),
    })
    expect(await databaseNames(databases)).toEqual([name])
  })

  describe('a log of a later format', () => {
    const z = makeZxid(1, 1)
    const raised: Entry = { zxid: z, kind: 'format', bytes: utf8('2') }
    const later: Entry = { zxid: makeZxid(1, 2), kind: 'txn', bytes: utf8('who knows') }

    /** All that the database holds, and how often it was claimed. */
    async function content(databases: globalThis.IDBFactory, name: string) {
      const db = await openDatabase(databases, name)
      const stores = ['identity', 'state', 'log', 'snapshot'] as const
      const all = await Promise.all(stores.flatMap((store) => [db.getAllKeys(store), db.getAll(store)]))
      const { version } = db
      db.close()
      return { version, all }
    }

    /** Closed by a later build, `tail` being what that wrote last. */
    async function left(tail: readonly Entry[], garble: 'a later record' | 'nothing' = 'nothing') {
      const here = browser()
      const { log, recovered, release } = await here.claim()
      await log.write([{ kind: 'append', entries: tail }], STRICT)
      if (garble !== 'nothing') await log.write([{ kind: 'append', entries: [later] }], STRICT)
      await release()
      const name = databaseName('shop', recovered)
      if (garble !== 'nothing') {
        const db = await openDatabase(here.databases, name)
        const record = (await db.get('log', later.zxid)) as LogRecord
        // An entry of a kind that is not known here: no record of this build can be read so.
        const bytes = record.bytes.slice()
        bytes[12] = 99
        await db.put('log', { ...record, bytes, sum: checksum(bytes) }, later.zxid)
        db.close()
      }
      return { ...here, identity: recovered, name }
    }

    it.each([
      ['as its last record', [raised], 'nothing'],
      ['amid the log', [raised, later], 'nothing'],
      ['before records that look garbled', [raised], 'a later record'],
    ] as const)('%s: it is not claimed, and not a byte of it changes', async (_where, tail, garble) => {
      const { claim, databases, locks, identity, name } = await left(tail, garble)
      const before = await content(databases, name)
      const options = { name: 'shop', databases, locks, demandReadable }
      // Twice: the locks were let go.
      for (let time = 0; time < 2; time++) {
        await expect(claim()).rejects.toMatchObject({ code: 'UpdateNeeded' })
        await expect(claimIdentity(options, identity)).rejects.toMatchObject({ code: 'UpdateNeeded' })
      }
      expect(await databaseNames(databases)).toEqual([name])
      expect(await content(databases, name)).toEqual(before)
      if (garble !== 'nothing') return
      const { recovered } = await claim({ demandReadable: () => undefined })
      expect(recovered.entries.slice(-tail.length)).toEqual(tail)
    })

    it('in a snapshot says so by its configuration, and is not claimed either', async () => {
      const here = browser()
      const { log, recovered, release } = await here.claim()
      await log.write([{ kind: 'append', entries: [raised] }], STRICT)
      await log.saveSnapshot(z, raised, [utf8('tree')], z)
      await release()
      const name = databaseName('shop', recovered)
      const before = await content(here.databases, name)
      await expect(here.claim()).rejects.toMatchObject({ code: 'UpdateNeeded' })
      expect(await content(here.databases, name)).toEqual(before)
    })

    it('leaves one of a format that is known to be claimed', async () => {
      const here = browser()
      const [old, young] = [await here.claim(), await here.claim()]
      await young.log.write([{ kind: 'append', entries: [{ ...raised, zxid: makeZxid(0, 1) }] }], STRICT)
      await Promise.all([old.release(), young.release()])
      const claimed = await here.claim()
      expect(claimed.recovered.replica).toBe(old.recovered.replica)
    })
  })

  it('prefers, of two ensembles of one name, the one that runs, and names the other', async () => {
    const { claim } = browser()
    const first = await claim()
    const second = await claim({ create: 'always' })
    expect(second).toMatchObject({ founded: true, others: [first.recovered.ensemble] })
    await first.release()
    const third = await claim()
    expect(third.recovered.ensemble).toBe(second.recovered.ensemble)
    expect(third.others).toEqual([first.recovered.ensemble])
  })

  it('joins the ensemble of an invitation, known here or not', async () => {
    const ensemble = 'a'.repeat(32) as EnsembleId
    const joined = await browser().claim({ create: 'never', ensemble })
    expect(joined).toMatchObject({ founded: false, recovered: { ensemble, entries: [] } })
  })

  it('names what the platform lacks', async () => {
    const { claim } = browser()
    await expect(claim({ databases: {} as IDBFactory as never })).rejects.toMatchObject({ code: 'Unsupported' })
  })
})
