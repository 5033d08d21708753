import { databaseName } from '../../src/storage/names.ts'
import { CLAIMS, SCHEMA_VERSION } from '../../src/storage/schema.ts'
import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, inspectAll, open, settled } from './in-page.ts'

declare global {
  interface Window {
    /** Ends when `halted` is set. */
    scribe: Promise<void> | undefined
    halted: boolean
    acknowledged(tab: number, node: string): Promise<void>
  }
}

const PREVIOUS = '/test/browser/pages/previous-build.html'
const CURRENT = '/test/browser/pages/blank.html'
const TABS = [0, 1, 2]

test('tabs of the previous build become the current one, one by one, amid writes: nothing acknowledged is lost @slow', async ({
  profile,
  server,
}) => {
  test.setTimeout(300_000)
  const acknowledged: string[][] = TABS.map(() => [])
  await profile.context.exposeFunction('acknowledged', (tab: number, node: string) => {
    acknowledged[tab]?.push(node)
  })
  const pages: Page[] = []
  for (const _ of TABS) {
    const page = await profile.open(PREVIOUS)
    await loaded(page)
    await open(page, 'upgrade')
    pages.push(page)
  }
  await settled(pages)
  const identities = (await inspectAll(pages)).map(({ replica }) => replica)
  await pages[0]?.evaluate(() => window.keeper.create('/written', null).then(() => undefined))

  // The leader first: the other two are of the previous build and go on without it.
  const leader = (await inspectAll(pages)).findIndex(({ role }) => role === 'leading')
  const order = [leader, ...TABS.filter((tab) => tab !== leader)]
  await alike(pages)
  for (const [turn, tab] of order.entries()) {
    await Promise.all(TABS.map((each) => startWriting(pages[each] as Page, each, turn)))
    await everybodyWrites(acknowledged, TABS)
    const page = pages[tab] as Page
    await page.goto(`${server.origin}${CURRENT}`)
    await everybodyWrites(
      acknowledged,
      TABS.filter((each) => each !== tab),
    )
    await loaded(page)
    await open(page, 'upgrade')
    await startWriting(page, tab, turn + TABS.length)
    await everybodyWrites(acknowledged, TABS)
    await Promise.all(pages.map(stopWriting))
    await settled(pages)
    // Both builds have made the same tree of the same log.
    await alike(pages)
    for (const each of pages) {
      expect(await childrenOf(each, '/written')).toEqual(expect.arrayContaining(acknowledged.flat()))
    }
  }
  expect((await inspectAll(pages)).map(({ replica }) => replica)).toEqual(identities)
  const notices = (await Promise.all(pages.map((page) => page.evaluate(() => window.notices)))).flat()
  // A link may end with the page at its other end; nobody found anything wrong with anybody.
  expect(notices.filter((notice) => !notice.startsWith('LinkFailed: '))).toEqual([])
})

test('a later build takes the database of an open tab: it lets go at once and says so; then the schema is too new for it @slow', async ({
  tabs,
}) => {
  const [page] = (await tabs(1)) as [Page]
  await open(page, 'schema')
  await page.evaluate(() => window.keeper.create('/kept', null).then(() => undefined))
  const identity = await page.evaluate(async () => {
    const { ensembleId, replica } = await window.keeper.inspect()
    return { ensemble: ensembleId, replica }
  })
  const name = databaseName('schema', identity as Parameters<typeof databaseName>[1])

  const upgraded = await page.evaluate(
    ([database, version]) =>
      new Promise<string>((resolve) => {
        let blocked = ''
        const request = indexedDB.open(database, version)
        request.onblocked = () => {
          blocked = ', blocked first'
        }
        request.onsuccess = () => {
          request.result.close()
          resolve(`upgraded${blocked}`)
        }
        request.onerror = () => resolve(String(request.error))
      }),
    [name, (SCHEMA_VERSION + 1) * CLAIMS] as const,
  )
  expect(upgraded).toBe('upgraded')
  await expect
    .poll(() => page.evaluate(() => window.notices.join()), { timeout: 10_000, intervals: [50] })
    .toContain('StorageFailed: claimed anew')
  const refusedWrite = await page.evaluate(() => window.keeper.create('/more', null).catch((error) => error.code))
  expect(refusedWrite).toMatch(/^(?:ConnectionLoss|SessionExpired)$/)
  await page.evaluate(() => window.keeper.close())
  const refused = await page.evaluate((known) => {
    const late = AbortSignal.timeout(20_000)
    return window.tabkeeper.Keeper.open({ ensemble: known, signal: late }).then(
      () => 'opened',
      (error) => `${error.code}: ${error.message}`,
    )
  }, 'schema')
  expect(refused).toMatch(/^UpdateNeeded: .*has schema 1, this page knows schema 0/)
  // It is as it was: nothing beside it, nothing in it.
  const databases = await page.evaluate(() => indexedDB.databases())
  expect(databases.filter((one) => one.name?.startsWith('tabkeeper/'))).toEqual([
    { name, version: (SCHEMA_VERSION + 1) * CLAIMS },
  ])
})

test('a log of a later format is left as it is, and the page is told to reload', async ({ tabs }) => {
  const [page] = (await tabs(1)) as [Page]
  await open(page, 'format')
  await page.evaluate(() => window.keeper.create('/kept').then(() => window.keeper.close()))
  const outcome = await page.evaluate(async () => {
    const load = (path: string) => import(/* @vite-ignore */ path)
    const { openDatabase } = (await load('/src/storage/database.ts')) as typeof import('../../src/storage/database.ts')
    const { logRecord } = (await load('/src/storage/recover.ts')) as typeof import('../../src/storage/recover.ts')
    const { encodeConfig } = (await load('/src/zab/membership.ts')) as typeof import('../../src/zab/membership.ts')
    const own = async () => (await indexedDB.databases()).filter(({ name }) => name?.startsWith('tabkeeper/'))
    const name = (await own())[0]?.name as string
    const content = async () => {
      const db = await openDatabase(indexedDB, name)
      const stores = ['identity', 'state', 'log', 'snapshot'] as const
      const all = await Promise.all(stores.flatMap((store) => [db.getAllKeys(store), db.getAll(store)]))
      db.close()
      return JSON.stringify([await own(), all])
    }
    // As a later build's leader would: a configuration record with the format in it.
    const db = await openDatabase(indexedDB, name)
    const { ensemble, replica } = (await db.get('identity', 'identity')) as NonNullable<
      Awaited<ReturnType<typeof db.get<'identity'>>>
    >
    const last = (await db.getAll('log')).at(-1)?.last as number
    const zxid = (last + 1) as Parameters<typeof logRecord>[1]
    const bytes = encodeConfig({ ensemble, voters: [replica], old: null, format: 99 })
    await db.put('log', logRecord([{ zxid, kind: 'config', bytes }], zxid), zxid)
    db.close()
    const before = await content()
    const told = await window.tabkeeper.Keeper.open({ ensemble: 'format' }).then(
      () => 'opened',
      (error) => `${error.code}: ${error.message}`,
    )
    return { told, untouched: before === (await content()) }
  })
  expect(outcome).toEqual({
    told: expect.stringMatching(/^UpdateNeeded: .*format 99, this page knows 1/),
    untouched: true,
  })
})

const loaded = (page: Page) => page.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })

/** Writes one node after the other, until told to stop. What an error leaves open is neither acknowledged nor written again. */
const startWriting = (page: Page, tab: number, turn: number) =>
  page.evaluate(
    ([which, when]) => {
      window.halted = false
      window.scribe = (async () => {
        for (let i = 0; !window.halted; i++) {
          const node = `${which}-${when}-${i}`
          const done = await window.keeper.create(`/written/${node}`, null).then(
            () => true,
            () => false,
          )
          if (done) await window.acknowledged(which, node)
          else await new Promise((resolve) => setTimeout(resolve, 50))
        }
      })()
    },
    [tab, turn] as const,
  )

const stopWriting = (page: Page) =>
  page.evaluate(async () => {
    window.halted = true
    await window.scribe
  })

/** Each of them gets 20 more writes acknowledged. */
async function everybodyWrites(acknowledged: readonly string[][], tabs: readonly number[]): Promise<void> {
  const before = acknowledged.map((nodes) => nodes.length)
  await expect
    .poll(() => Math.min(...tabs.map((tab) => (acknowledged[tab]?.length ?? 0) - (before[tab] ?? 0))), {
      timeout: 30_000,
      intervals: [50],
    })
    .toBeGreaterThanOrEqual(20)
}

/** Until all stand at one zxid; their trees are the same then. */
async function alike(pages: readonly Page[]): Promise<void> {
  await expect
    .poll(async () => new Set((await inspectAll(pages)).map(({ zxid }) => zxid.applied)).size, {
      timeout: 30_000,
      intervals: [100],
    })
    .toBe(1)
  expect(new Set((await inspectAll(pages)).map(({ digest }) => digest)).size).toBe(1)
}
