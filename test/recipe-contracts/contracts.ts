import { ok } from 'node:assert/strict'
import { fromUtf8 } from '../../src/base/bytes.ts'
import type { Recipes } from './implementations.ts'
import { type Page, type Stage, settles } from './stage.ts'

/** What a recipe promises, tried where others break it. `pitfall`: what is said of an implementation that breaks it. */
export interface Contract {
  readonly name: string
  readonly pitfall: string
  run(stage: Stage, recipes: Recipes, pitfall: string): Promise<void>
}

const text = (data: Uint8Array | null | undefined): string => fromUtf8(data ?? new Uint8Array())
const pair = async (stage: Stage): Promise<readonly [Page, Page]> => [await stage.page(), await stage.page()]
const never = (): Promise<never> => new Promise(() => {})

export const CONTRACTS: readonly Contract[] = [
  {
    name: 'lock: after a lost reply its own place is found again, but only within one session',
    pitfall: 'granted by the node of another session, which is about to go',
    run: async (stage, { lock }, pitfall) => {
      const [a, b] = await pair(stage)
      const first = await lock(a, 'doc')
      const waiting = lock(b, 'doc')
      const early = await settles(stage, waiting, 500)
      ok(!early, pitfall)
      await first.release()
      const second = await waiting
      ok(second.session === b.client.sessionId, pitfall)
      await second.release()
      b.loseReply()
      const third = await lock(b, 'doc')
      await third.release()
      ok(await settles(stage, lock(a, 'doc'), 2000), 'a second place was made, and waits for ever')
    },
  },
  {
    name: 'semaphore: no more permits than there are',
    pitfall: 'two counted before either took: one permit too many',
    run: async (stage, { permit }, pitfall) => {
      const pages = [...(await pair(stage)), ...(await pair(stage))]
      let inside = 0
      let most = 0
      const work = pages.map(async (page) => {
        const release = await permit(page, 'pool', 2)
        most = Math.max(most, ++inside)
        await stage.pass(100)
        inside--
        await release()
      })
      await Promise.all(work)
      ok(most <= 2, pitfall)
    },
  },
  {
    name: 'election: who does not lead any more, knows',
    pitfall: 'the flag stays true when another leads',
    run: async (stage, { lead }, pitfall) => {
      const [a, b] = await pair(stage)
      const leads = await lead(a, 'chief')
      ok(leads())
      const next = lead(b, 'chief')
      const { children } = await b.client.getChildren('/tk/elections/chief')
      const [first] = children.toSorted((one, other) => Number(one.slice(-10)) - Number(other.slice(-10)))
      await b.client.delete(`/tk/elections/chief/${first}`)
      const follows = await next
      ok(follows())
      await stage.pass(200)
      ok(!leads(), pitfall)
    },
  },
  {
    name: 'barrier: who waited for it goes on when it opens',
    pitfall: 'closed again at once, it was never seen open',
    run: async (stage, { closeBarrier, openBarrier, passBarrier }, pitfall) => {
      const [a, b] = await pair(stage)
      await closeBarrier(a, 'gate')
      await b.client.sync('/')
      const passed = passBarrier(b, 'gate')
      await stage.pass(200)
      const opened = openBarrier(a, 'gate')
      const closed = closeBarrier(a, 'gate')
      await Promise.all([opened, closed])
      ok(await settles(stage, passed, 1500), pitfall)
    },
  },
  {
    name: 'double barrier: begins when enough are there, and by nothing else',
    pitfall: 'opened by a reconnect',
    run: async (stage, { meet }, pitfall) => {
      const [a, b] = await pair(stage)
      const first = meet(a, 'game', 2)
      await stage.pass(200)
      a.cut()
      ok(!(await settles(stage, first, 3000)), pitfall)
      await meet(b, 'game', 2)
      ok(await settles(stage, first, 5000), 'it never began')
    },
  },
  {
    name: 'latch: each counts once',
    pitfall: 'a countdown whose reply was lost counted twice',
    run: async (stage, { countDown, remaining }, pitfall) => {
      const page = await stage.page()
      await countDown(page, 'parts', 5)
      page.loseReply()
      await countDown(page, 'parts', 5)
      ok((await remaining(page, 'parts', 5)) === 3, pitfall)
    },
  },
  {
    name: 'counter: each addition counts once',
    pitfall: 'an addition whose reply was lost was added twice',
    run: async (stage, { add, sum }, pitfall) => {
      const page = await stage.page()
      for (let i = 0; i < 6; i++) {
        if (i > 0) page.loseReply()
        await add(page, 'votes', 1)
      }
      ok((await sum(page, 'votes')) === 6, pitfall)
    },
  },
  {
    name: 'ids: no two are the same',
    pitfall: 'two pages read before either wrote: one id twice',
    run: async (stage, { id }, pitfall) => {
      const pages = await pair(stage)
      await id(pages[0], 'orders')
      await pages[1].client.sync('/')
      const ids = await Promise.all(pages.map((page) => id(page, 'orders')))
      ok(new Set(ids).size === 2, pitfall)
    },
  },
  {
    name: 'cell: no update is lost',
    pitfall: 'two pages changed the same old value',
    run: async (stage, { append, words }, pitfall) => {
      const pages = await pair(stage)
      await append(pages[0], 'list', 'first')
      await pages[1].client.sync('/')
      await Promise.all(pages.map((page, i) => append(page, 'list', `word ${i}`)))
      await pages[0].client.sync('/')
      const all = (await words(pages[0], 'list')).join(' ')
      ok(all.includes('word 0') && all.includes('word 1'), pitfall)
    },
  },
  {
    name: 'membership: a member whose page died is no member',
    pitfall: 'the dead are still in the group',
    run: async (stage, { join, members }, pitfall) => {
      const [a, b] = await pair(stage)
      await join(a, 'room', 'a')
      await join(b, 'room', 'b')
      await a.die()
      await stage.pass(300)
      await b.client.sync('/')
      const left = await members(b, 'room')
      ok(left.length === 1 && left[0] === 'b', pitfall)
    },
  },
  {
    name: 'presence: stays when an earlier session goes',
    pitfall: 'it adopted the node of another session and went with it',
    run: async (stage, { present }, pitfall) => {
      const [a, b] = await pair(stage)
      await present(a, '/here', 'a')
      await b.client.sync('/')
      const made = present(b, '/here', 'b')
      made.catch(() => undefined)
      await stage.pass(200)
      await a.die()
      await stage.pass(500)
      await b.client.sync('/')
      const found = await b.client.exists('/here')
      ok(found?.ephemeralOwner === b.client.sessionId, pitfall)
    },
  },
  {
    name: 'services: an instance is not removed by another of its id',
    pitfall: 'the living instance of another page was deleted',
    run: async (stage, { offer }, pitfall) => {
      const [a, b] = await pair(stage)
      await offer(a, 'render', 'one', 'a')
      await b.client.sync('/')
      offer(b, 'render', 'one', 'b').catch(() => undefined)
      await stage.pass(300)
      const found = await b.client.exists('/tk/services/render/one')
      ok(found?.ephemeralOwner === a.client.sessionId, pitfall)
    },
  },
  {
    name: 'cache: shows a node that was made anew',
    pitfall: 'deleted and made anew with the same version, it shows the old data',
    run: async (stage, { copy }, pitfall) => {
      const [a, b] = await pair(stage)
      await b.client.create('/m', 'old')
      await a.client.sync('/')
      const shown = await copy(a, '/m')
      ok(text(shown('/m')) === 'old')
      await stage.pass(200)
      await b.client.multi([
        { op: 'delete', path: '/m' },
        { op: 'create', path: '/m', data: 'new' },
      ])
      await stage.pass(500)
      ok(text(shown('/m')) === 'new', pitfall)
    },
  },
  {
    name: 'queue: what is put once is there once',
    pitfall: 'put twice after a lost reply',
    run: async (stage, { put, size }, pitfall) => {
      const page = await stage.page()
      await put(page, 'jobs', 'one')
      page.loseReply()
      await put(page, 'jobs', 'two')
      ok((await size(page, 'jobs')) === 2, pitfall)
    },
  },
  {
    name: 'queue: an item outlives the page that works on it',
    pitfall: 'lost with its taker',
    run: async (stage, { put, process }, pitfall) => {
      const [a, b] = await pair(stage)
      await put(a, 'jobs', 'one')
      process(a, 'jobs', never).catch(() => undefined)
      await stage.pass(300)
      await a.die()
      await b.client.sync('/')
      const done = process(b, 'jobs', async (data) => text(data))
      ok(await settles(stage, done, 3000), pitfall)
      ok((await done) === 'one')
    },
  },
  {
    name: 'lease: ends by one clock for all',
    pitfall: 'a page whose clock is fast takes what is still held',
    run: async (stage, { lease }, pitfall) => {
      const [a, b] = await pair(stage)
      const fast: Page = { ...b, clock: { ...b.clock, now: () => b.clock.now() + 3_600_000, after: b.clock.after } }
      ok(await lease(a, 'printer', 60_000))
      await b.client.sync('/')
      ok(!(await lease(fast, 'printer', 60_000)), pitfall)
    },
  },
  {
    name: 'partition: only what must move moves',
    pitfall: 'all stopped because one came',
    run: async (stage, { split }, pitfall) => {
      const items = Array.from({ length: 12 }, (_, i) => `item ${i}`)
      const stop = new AbortController()
      const has = new Map<string, Page>()
      const ended = new Set<string>()
      const take = (page: Page): void => {
        const told = {
          begins: (item: string) => void has.set(item, page),
          ends: (item: string) => void ended.add(item),
        }
        split(page, 'shards', items, told, stop.signal).catch(() => undefined)
      }
      const pages = [...(await pair(stage)), await stage.page()] as const
      take(pages[0])
      await stage.pass(500)
      take(pages[1])
      await stage.pass(1500)
      ok(has.size === 12, 'some items are nobody’s')
      const before = new Map(has)
      ended.clear()
      take(pages[2])
      await stage.pass(1500)
      const moved = items.filter((item) => before.get(item) !== has.get(item))
      stop.abort()
      ok(moved.length === ended.size && moved.every((item) => has.get(item) === pages[2]), pitfall)
    },
  },
]
