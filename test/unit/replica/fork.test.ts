import 'fake-indexeddb/auto'
import { expect, it } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import type { EnsembleId } from '../../../src/base/ids.ts'
import { epochOf, makeZxid } from '../../../src/base/zxid.ts'
import { fork } from '../../../src/replica/fork.ts'
import { votersOfEntry as votersOf } from '../../../src/replica/founding.ts'
import { Server } from '../../../src/server/server.ts'
import type { ClaimOptions } from '../../../src/storage/claim.ts'
import { databaseName, identityOf } from '../../../src/storage/names.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import { encodeConfig } from '../../../src/zab/membership.ts'
import { begin, browser, clock, codeOf, orphan, written } from './parent.ts'

it('a fork holds all that its replica held, in a later epoch, without sessions; it votes alone', async () => {
  const pages = browser()
  const { voter, last } = await orphan(pages)
  const { ensemble, replica } = voter.recovered
  await voter.release()
  const forked = await pages.claim({ create: 'never', ensemble, fork: begin })
  const { recovered } = forked
  expect(recovered.ensemble).not.toBe(ensemble)
  expect(recovered.replica).not.toBe(replica)
  expect(recovered.forkedFrom).toEqual({ ensemble, zxid: last })
  expect([recovered.currentEpoch, recovered.acceptedEpoch, epochOf(recovered.base)]).toEqual([5, 5, 5])
  expect(recovered.committed).toBe(recovered.base)
  expect(votersOf(recovered.baseConfig as Entry)).toEqual([recovered.replica])
  const server = new Server()
  server.restore(recovered.base, recovered.snapshot)
  expect(server.status().sessions).toEqual([])
  // "/", "/zookeeper", its config and quota, "/kept" and the ten below it; the ephemeral is gone with its session.
  const before = new Server()
  for (const { zxid, bytes } of written(10)) before.apply(zxid, bytes)
  expect(server.status().znodes).toBe(before.status().znodes - 1)
  expect(forked.others).toEqual([ensemble])
})

it('from then on this browser opens the fork; the parent is there for whoever names it', async () => {
  const pages = browser()
  const { voter } = await orphan(pages)
  const { ensemble } = voter.recovered
  await voter.release()
  const forked = await pages.claim({ create: 'never', ensemble, fork: begin })
  const child = forked.recovered.ensemble
  // Another page, while the fork runs, while the parent runs again beside it, and when nothing runs.
  const second = await pages.claim()
  const old = await pages.claim({ ensemble })
  const third = await pages.claim()
  expect([second, old, third].map(({ recovered }) => recovered.ensemble)).toEqual([child, ensemble, child])
  expect(old.recovered.entries.length).toBeGreaterThan(10)
  for (const page of [forked, second, third]) await page.release()
  expect((await pages.claim()).recovered.ensemble).toBe(child)
})

it('is refused while another page of this browser runs a replica of it, and where nothing is known', async () => {
  const pages = browser()
  const { voter } = await orphan(pages)
  const { ensemble } = voter.recovered
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin }))).toBe('StillRunning')
  const unknown = 'f'.repeat(32) as EnsembleId
  expect(await codeOf(pages.claim({ create: 'never', ensemble: unknown, fork: begin }))).toBe('NoNode')
  await voter.release()
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin }))).toBe('Ok')
})

it('begins from the most recent log of this browser, whoever voted', async () => {
  const pages = browser()
  const voter = await pages.claim()
  const { ensemble, replica } = voter.recovered
  const observer = await pages.claim()
  // By the newest configuration of all the other one votes, and it has nothing of that epoch.
  const config = encodeConfig({ ensemble, voters: [replica], old: null })
  const entries: Entry[] = [{ zxid: makeZxid(2, 1), kind: 'config', bytes: config }, ...written(1)]
  await observer.log.write(
    [
      { kind: 'acceptedEpoch', epoch: 3 },
      { kind: 'append', entries },
      { kind: 'currentEpoch', epoch: 3 },
    ],
    { relaxed: false, committed: makeZxid(3, 1) },
  )
  for (const page of [voter, observer]) await page.release()
  const { recovered } = await pages.claim({ create: 'never', ensemble, fork: begin })
  expect(recovered.forkedFrom?.zxid).toBe(entries.at(-1)?.zxid)
})

it('is refused where this browser has heard nothing of the ensemble yet: a fork of nothing would stand in its way', async () => {
  const pages = browser()
  const ensemble = 'e'.repeat(32) as EnsembleId
  await (await pages.claim({ create: 'never', ensemble })).release()
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin }))).toBe('NoNode')
  expect((await pages.claim({ create: 'never' })).recovered.ensemble).toBe(ensemble)
})

it('is refused while a log of this browser is of a later build: it may be the most recent one', async () => {
  const pages = browser()
  const voter = await pages.claim()
  const { voter: later } = await orphan(pages)
  const { ensemble } = voter.recovered
  await voter.release()
  await later.release()
  const old: ClaimOptions['demandReadable'] = ({ entries }) => {
    if (entries.some(({ zxid }) => epochOf(zxid) === 3)) throw new KeeperError('UpdateNeeded', 'of a later format')
  }
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin, demandReadable: old }))).toBe(
    'UpdateNeeded',
  )
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: begin }))).toBe('Ok')
})

it('is known as a fork for good: the identity that says so outlives its vote', async () => {
  const pages = browser()
  const { voter } = await orphan(pages)
  const { ensemble: parent } = voter.recovered
  await voter.release()
  const forked = await pages.claim({ create: 'never', ensemble: parent, fork: begin })
  const { ensemble, replica } = forked.recovered
  const heir = await pages.claim()
  const config = encodeConfig({ ensemble, voters: [heir.recovered.replica], old: null })
  const zxid = makeZxid(6, 1)
  await heir.log.write(
    [
      { kind: 'acceptedEpoch', epoch: 6 },
      { kind: 'append', entries: [{ zxid, kind: 'config', bytes: config }] },
      { kind: 'currentEpoch', epoch: 6 },
    ],
    { relaxed: false, committed: zxid },
  )
  for (const page of [forked, heir]) await page.release()
  const again = await pages.claim()
  expect(again.recovered.replica).toBe(heir.recovered.replica)
  const names = (await pages.databases.databases()).flatMap(({ name }) => identityOf('shop', name ?? '') ?? [])
  expect(names).toContainEqual({ ensemble, replica })
  // The parent runs here again, and is still not what a page of this browser opens; nor is it once it has gone further than the fork.
  await again.release()
  const old = await pages.claim({ ensemble: parent })
  const page = await pages.claim()
  expect(page.recovered.ensemble).toBe(ensemble)
  await old.log.write(
    [
      { kind: 'acceptedEpoch', epoch: 9 },
      { kind: 'append', entries: [{ zxid: makeZxid(9, 1), kind: 'config', bytes: config }] },
      { kind: 'currentEpoch', epoch: 9 },
    ],
    { relaxed: false, committed: makeZxid(9, 1) },
  )
  for (const one of [old, page]) await one.release()
  expect((await pages.claim()).recovered.ensemble).toBe(ensemble)
})

it('interrupted anywhere, leaves the parent as it was and no half fork', async () => {
  const pages = browser()
  const { voter, last } = await orphan(pages, 2000)
  const { ensemble, replica } = voter.recovered
  await voter.release()
  const chunks: Uint8Array[] = []
  const failing: ClaimOptions['fork'] = (parent, child) => {
    const beginning = fork(parent, child, new Server(), clock)
    function* some() {
      for (const chunk of beginning.snapshot) {
        yield chunk
        chunks.push(chunk)
        throw new Error('the tab crashed')
      }
    }
    return { ...beginning, snapshot: some() }
  }
  expect(await codeOf(pages.claim({ create: 'never', ensemble, fork: failing }))).toBe('StorageFailed')
  expect(chunks.length).toBe(1)
  const again = await pages.claim()
  expect(again.recovered).toMatchObject({ ensemble, replica })
  expect(again.recovered.entries.at(-1)?.zxid).toBe(last)
  const names = (await pages.databases.databases()).flatMap(({ name }) => identityOf('shop', name ?? '') ?? [])
  expect(names.map((one) => databaseName('shop', one))).toEqual([databaseName('shop', again.recovered)])
})
