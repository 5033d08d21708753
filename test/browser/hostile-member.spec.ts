import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, open, settled } from './in-page.ts'
import type { Intruder } from './intruder.ts'

declare global {
  interface Window {
    intruder: Intruder
  }
}

/** Drawn by chance: passwords take their time. */
const secret = new Uint8Array(32).fill(7)

interface Here {
  readonly members: readonly [Page, Page, Page]
  readonly liar: Page
  readonly leader: number
  readonly epoch: number
}

/** Three voters with a secret, and a page that knows it too. */
async function ensemble(tabs: (count: number) => Promise<Page[]>, name: string): Promise<Here> {
  const [a, b, c, liar] = (await tabs(4)) as [Page, Page, Page, Page]
  const members = [a, b, c] as const
  // A hidden page connects at one step a second.
  await liar.bringToFront()
  for (const page of members) await open(page, name, { secret })
  const leader = await settled(members)
  const { epoch } = await a.evaluate(() => window.keeper.inspect())
  return { members, liar, leader, epoch: epoch.current }
}

/** The liar holds a link to each member, proved and greeted as any member's. `alias`: whom it greets as; then it gets none. */
async function intrude({ members, liar }: Here, name: string, alias?: number): Promise<void> {
  const about = await members[0].evaluate(async () => {
    const { ensembleId, voters } = await window.keeper.inspect()
    return { ensembleId, voters }
  })
  await liar.evaluate(
    async ([called, word, { ensembleId, voters }, as]) => {
      const load = (path: string) => import(/* @vite-ignore */ path)
      const { Intruder } = (await load('/test/browser/intruder.ts')) as typeof import('./intruder.ts')
      window.intruder = await Intruder.enter(called, word, ensembleId, voters, as)
      const { links, ended } = window.intruder
      const all = as === undefined ? links : ended
      while (all.size < voters.length) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    [name, secret, about, alias] as const,
  )
}

const markOf = (page: Page, mark: string) =>
  page.evaluate(async (name) => (await window.keeper.inspect()).marks[name] ?? 0, mark)

const blamed = (page: Page) => page.evaluate(() => window.notices.filter((text) => text.startsWith('BadPeer')).length)

let written = 0

/** The same leader in the same epoch, each member's session still there, and a write through each is everywhere. */
async function unharmed({ members, leader, epoch }: Here): Promise<void> {
  const names: string[] = []
  for (const page of members) {
    const name = `n${++written}`
    names.push(name)
    await page.evaluate((at) => window.keeper.create(`/${at}`).then(() => undefined), name)
  }
  for (const page of members) expect(await childrenOf(page, '/')).toEqual(expect.arrayContaining(names))
  const states = await Promise.all(
    members.map((page) =>
      page.evaluate(async () => {
        const { role, epoch } = await window.keeper.inspect()
        return { role, epoch: epoch.current, state: window.keeper.state }
      }),
    ),
  )
  expect(states.map(({ role }) => role)).toEqual(members.map((_, i) => (i === leader ? 'leading' : 'following')))
  expect(states.map((one) => [one.epoch, one.state])).toEqual(members.map(() => [epoch, 'connected']))
}

const GARBAGE: Readonly<Record<string, readonly number[]>> = {
  chance: Array.from({ length: 64 }, (_, at) => (at * 97 + 13) % 256),
  'a message of no known form': [0, 0, 0, 2, 1, 99],
  'an empty frame': [],
  'a message cut within': [0, 0, 0, 3, 1, 4, 0],
  'a message of 2 GiB announced': [0x7f, 0xff, 0xff, 0xff, 1, 1],
  'a message of 9 MiB announced, and its first frame': [0, 0x90, 0, 0, ...Array<number>(16_000).fill(1)],
}

test('a member that sends garbage: each closes that link and counts it, and goes on @slow', async ({ tabs }) => {
  test.setTimeout(150_000)
  const here = await ensemble(tabs, 'bytes')
  let times = 0
  for (const [what, frame] of Object.entries(GARBAGE))
    await test.step(what, async () => {
      times++
      await intrude(here, 'bytes')
      const ended = await here.liar.evaluate(async (bytes) => {
        const { links, ended } = window.intruder
        for (const { channel } of [...links.values()]) channel.send(new Uint8Array(bytes))
        while (links.size > 0) await new Promise((resolve) => setTimeout(resolve, 20))
        window.intruder.leave()
        return ended.size
      }, frame)
      expect(ended).toBe(3)
      for (const page of here.members) {
        await expect.poll(() => markOf(page, 'bad-peer')).toBe(times)
        expect(await blamed(page)).toBe(times)
      }
      await unharmed(here)
    })
})

test('a member that lies: it is not followed, deposes nobody, speaks for nobody, and is counted @slow', async ({
  tabs,
}) => {
  test.setTimeout(150_000)
  const here = await ensemble(tabs, 'lies')
  await test.step('orders of epochs that are over, or never were', () => staleOrders(here))
  await test.step('votes for itself of the last epoch, and a promise of it', () => forgedVotes(here))
  await test.step('a greeting in the name of another', () => forgedName(here))
})

async function staleOrders(here: Here): Promise<void> {
  await intrude(here, 'lies')
  const sent = await here.liar.evaluate(() => {
    const { links } = window.intruder
    const [old, unborn] = [1, 7 * 2 ** 32 + 1] as never[] as [never, never]
    let count = 0
    for (const { link } of links.values()) {
      count = 0
      for (const nonce of [0, 1, 2, 2 ** 40]) {
        const forged = { zxid: unborn, kind: 'txn', bytes: new Uint8Array(40) } as const
        const orders: Parameters<typeof link.send>[0] = [
          { kind: 'leaderInfo', nonce, epoch: 0, leader: link.peer },
          { kind: 'sync', nonce, mode: 'trunc', from: old, voting: true, config: null },
          { kind: 'newLeader', nonce, epoch: 0, last: old },
          { kind: 'proposal', nonce, entries: [forged] },
          { kind: 'commit', nonce, zxid: unborn },
          { kind: 'upToDate', nonce, committed: unborn },
          { kind: 'inform', nonce, entries: [forged] },
          { kind: 'handOver', nonce },
        ]
        for (const order of orders) link.send([order])
        count += orders.length
      }
    }
    return count
  })
  for (const page of here.members) await expect.poll(() => markOf(page, 'stale-session-nonce-dropped')).toBe(sent)
  await unharmed(here)
  await here.liar.evaluate(() => window.intruder.leave())
}

async function forgedVotes(here: Here): Promise<void> {
  await intrude(here, 'lies')
  await here.liar.evaluate(() => {
    const last = 2 ** 21 - 1
    const zxid = (last * 2 ** 32 + 1) as never
    for (const { link } of window.intruder.links.values()) {
      const vote = { round: 2 ** 40, leader: link.peer, epoch: last, zxid, established: true, accepted: last }
      for (const state of ['looking', 'leading', 'following'] as const)
        link.send([{ kind: 'notification', state, ...vote, room: true }])
      const hello = { kind: 'followerInfo', nonce: 1, snapshotWanted: false, demoted: false, insists: true } as const
      link.send([{ ...hello, acceptedEpoch: last }])
    }
  })
  await expect.poll(() => markOf(here.members[here.leader] as Page, 'epoch-jump-refused')).toBe(1)
  await unharmed(here)
  await here.liar.evaluate(() => window.intruder.leave())
}

async function forgedName(here: Here): Promise<void> {
  const victim = await here.members[0].evaluate(async () => (await window.keeper.inspect()).replica)
  await intrude(here, 'lies', victim)
  await here.liar.evaluate(() => window.intruder.leave())
  for (const page of here.members.slice(1)) {
    await expect.poll(() => blamed(page)).toBeGreaterThan(0)
    expect(await markOf(page, 'greeted-as-another')).toBeGreaterThan(0)
  }
  await unharmed(here)
}

test('a page that floods a member with sessions gets so many and a typed error; whoever has one goes on', async ({
  tabs,
}) => {
  const [member, good, liar] = (await tabs(3)) as [Page, Page, Page]
  await open(member, 'flood', { secret })
  await open(good, 'flood', { secret, role: 'client' })
  await good.evaluate(() => window.keeper.create('/good', 'x', { mode: 'ephemeral' }).then(() => undefined))
  const { refused, open: held } = await liar.evaluate(async (word) => {
    const keepers: { close(): Promise<void> }[] = []
    for (;;) {
      const next = await window.tabkeeper.Keeper.open({ ensemble: 'flood', role: 'client', secret: word }).catch(
        (error: { readonly code: string }) => error.code,
      )
      if (typeof next === 'string') {
        window.kept = keepers
        return { refused: next, open: keepers.length }
      }
      keepers.push(next)
    }
  }, secret)
  expect([refused, held]).toEqual(['TooManySessions', 63])
  await good.evaluate(() => window.keeper.setData('/good', 'y').then(() => undefined))
  await member.evaluate(() => window.keeper.create('/member').then(() => undefined))
  expect(await childrenOf(good, '/')).toEqual(expect.arrayContaining(['good', 'member']))
  expect(await good.evaluate(() => window.keeper.state)).toBe('connected')
  // A place that becomes free is given again.
  await liar.evaluate(async () => {
    const [first] = window.kept as { close(): Promise<void> }[]
    await first?.close()
  })
  const again = await liar.evaluate(async (word) => {
    for (let left = 20; left > 0; left--) {
      const keeper = await window.tabkeeper.Keeper.open({ ensemble: 'flood', role: 'client', secret: word }).catch(
        () => null,
      )
      if (keeper !== null) return keeper.state
    }
    return 'no place'
  }, secret)
  expect(again).toBe('connected')
})
