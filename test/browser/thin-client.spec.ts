import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, inspect, open, settled, whenGone } from './in-page.ts'

const HOST = '127.0.0.1'
const secret = 'correct horse battery staple'

const join = (page: Page, invitation: string) =>
  page.evaluate(async (text) => {
    window.keeper = await window.tabkeeper.Keeper.join(text, { sessionTimeout: 6000 })
  }, invitation)

const about = (page: Page) =>
  page.evaluate(async () => {
    const { server, sessions, replica, links } = await window.keeper.inspect()
    return { server, session: sessions[0]?.id, replica, links: links.length }
  })

test('a page without a replica holds its session, ephemeral, watch and lock through the crash of the member that serves it', async ({
  browsers,
  crash,
  complaints,
}) => {
  const server = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0 } })
  const signaling = [`ws://${HOST}:${server.address.port}/`]
  const [a, b, c, thin] = (await browsers(4)) as [Page, Page, Page, Page]
  const members = [a, b, c]
  for (const page of members) await open(page, 'served', { signaling, secret })
  await settled(members)
  const invitation = await a.evaluate(() => window.keeper.invitation({ role: 'client', page: 'https://example.org/' }))
  await join(thin, invitation)
  await thin.evaluate(async () => {
    await window.keeper.create('/thin', 'x', { mode: 'ephemeral' })
    window.seen = []
    await window.keeper.exists('/later', { watch: ({ path }) => window.seen.push(path) })
    await new Promise<void>((held) => {
      window.keeper.locks
        .request('only', () => {
          held()
          return new Promise(() => undefined)
        })
        .catch(() => undefined)
    })
    const queue = window.keeper.queue<{ readonly double: { readonly in: number; readonly out: number } }>('thin')
    await queue.worker({ double: async (n) => 2 * n })
  })
  const before = await about(thin)
  expect(before).toMatchObject({ replica: 0, links: 0 })
  const serving = await Promise.all(members.map(inspect))
  const at = serving.findIndex(({ replica }) => before.server === `replica ${replica}`)
  expect(at).toBeGreaterThanOrEqual(0)
  const others = members.filter((_, i) => i !== at) as [Page, Page]

  await crash(members[at] as Page)
  await expect
    .poll(async () => (await about(thin)).server, { timeout: 30_000 })
    .toMatch(new RegExp(`^replica (?!${serving[at]?.replica}$)`))
  await thin.evaluate(() => window.keeper.setData('/thin', 'y').then(() => undefined))
  expect((await about(thin)).session).toBe(before.session)
  expect(await childrenOf(others[0], '/')).toContain('thin')
  await others[1].evaluate(() => window.keeper.create('/later').then(() => undefined))
  await expect.poll(() => thin.evaluate(() => window.seen)).toEqual(['/later'])
  // The lock is still its own.
  const free = await others[0].evaluate(() =>
    window.keeper.locks.request('only', { ifAvailable: true }, (lock) => lock !== null),
  )
  expect(free).toBe(false)
  const doubled = await others[0].evaluate(async () => {
    const queue = window.keeper.queue<{ readonly double: { readonly in: number; readonly out: number } }>('thin')
    return (await queue.add('double', 21)).result()
  })
  expect(doubled).toBe(42)

  const gone = await whenGone(others[0], '/thin')
  await thin.evaluate(() => window.keeper.close())
  expect(await gone()).toBeGreaterThan(0)
  for (const page of [...others, thin]) await page.close()
  await server.close()
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes('WebSocket connection to')))
})

test('the key of clients makes nobody a member, and a client can invite nobody', async ({ browsers, complaints }) => {
  const server = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0 } })
  const signaling = [`ws://${HOST}:${server.address.port}/`]
  const [a, thin, liar] = (await browsers(3)) as [Page, Page, Page]
  await open(a, 'walled', { signaling, secret })
  const invitation = await a.evaluate(() => window.keeper.invitation({ role: 'client' }))
  await join(thin, invitation)
  const refusals = await thin.evaluate(() =>
    Promise.all(
      [window.keeper.invitation(), window.keeper.stepDown(), window.keeper.reconfig([])].map((one) =>
        one.then(
          () => 'done',
          (error) => error.code,
        ),
      ),
    ),
  )
  expect(refusals).toEqual(['Unsupported', 'Unsupported', 'Unsupported'])

  // The same word, but for the role: its key opens no member's room.
  const claim = await liar.evaluate(
    async ([word, servers]) => {
      const text = atob((word as string).slice('tk1-'.length).replaceAll('-', '+').replaceAll('_', '/'))
      const { s } = JSON.parse(text) as { readonly s: string }
      const key = Uint8Array.from(atob(s), (one) => one.charCodeAt(0))
      return window.tabkeeper.Keeper.open({ ensemble: 'walled', signaling: servers as string[], secret: key }).then(
        () => 'open',
        (error) => error.code,
      )
    },
    [invitation, signaling],
  )
  expect(claim).toBe('WrongSecret')
  const forged = await liar.evaluate(async (word) => {
    const text = atob(word.slice('tk1-'.length).replaceAll('-', '+').replaceAll('_', '/'))
    const { r: _, ...rest } = JSON.parse(text)
    const abort = AbortSignal.timeout(4000)
    return window.tabkeeper.Keeper.join(`tk1-${btoa(JSON.stringify(rest)).replaceAll('+', '-').replaceAll('/', '_')}`, {
      signal: abort,
    }).then(
      () => 'open',
      (error) => error.code,
    )
  }, invitation)
  expect(['WrongSecret', 'Aborted']).toContain(forged)
  expect((await inspect(a)).links).toEqual([])
  await thin.evaluate(() => window.keeper.create('/still-here').then(() => undefined))
  expect(await childrenOf(a, '/')).toContain('still-here')
  for (const page of [a, thin, liar]) await page.close()
  await server.close()
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes('WebSocket connection to')))
})

test('a client proves by a key who it is, and what is its own stays its own over a crash', async ({ tabs, crash }) => {
  const [a, b, c, thin, stranger] = (await tabs(5)) as [Page, Page, Page, Page, Page]
  const members = [a, b, c]
  for (const page of members) await open(page, 'keys')
  await settled(members)
  const asClient = (page: Page) =>
    page.evaluate(async () => {
      window.keeper = await window.tabkeeper.Keeper.open({ ensemble: 'keys', role: 'client', sessionTimeout: 6000 })
    })
  await asClient(thin)
  await asClient(stranger)
  const write = (page: Page) =>
    page.evaluate(() =>
      window.keeper.setData('/scores', 'mine').then(
        () => 'done',
        (error) => error.code,
      ),
    )
  await thin.evaluate(async () => {
    const { keeper } = window
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    await keeper.addKey(pair)
    const id = await window.tabkeeper.keyId(pair.publicKey)
    await keeper.create('/scores', '', {
      acl: [
        { scheme: 'key', id, permissions: ['create', 'delete', 'read', 'write', 'admin'] },
        { scheme: 'world', id: 'anyone', permissions: ['read'] },
      ],
    })
  })
  expect(await write(thin)).toBe('done')
  expect(await write(stranger)).toBe('NoAuth')
  const { server } = await about(thin)
  const serving = await Promise.all(members.map(inspect))
  await crash(members.find((_, i) => server === `replica ${serving[i]?.replica}`) as Page)
  await expect.poll(async () => (await about(thin)).server, { timeout: 30_000 }).not.toBe(server)
  await expect.poll(() => write(thin), { timeout: 30_000 }).toBe('done')
  await expect.poll(() => write(stranger), { timeout: 30_000 }).toBe('NoAuth')
})

test('the last word of a member reaches the client: that a session is over is said, not guessed', async ({ tabs }) => {
  const [member, thin] = (await tabs(2)) as [Page, Page]
  await open(member, 'last words')
  const end = await thin.evaluate(async () => {
    const load = (path: string) => import(/* @vite-ignore */ path)
    const { Client } = (await load('/src/client/client.ts')) as typeof import('../../src/client/client.ts')
    const { makeClientWires } = (await load('/src/keeper/wires.ts')) as typeof import('../../src/keeper/wires.ts')
    const { pageClock } = (await load('/src/keeper/page-clock.ts')) as typeof import('../../src/keeper/page-clock.ts')
    const { ClientCall } = (await load('/src/mesh/client-call.ts')) as typeof import('../../src/mesh/client-call.ts')
    const { openRtcPair } = (await load('/src/mesh/rtc-pair.ts')) as typeof import('../../src/mesh/rtc-pair.ts')
    const { clients } = await makeClientWires({ ensemble: 'last words' })
    const call = new ClientCall({
      ...clients,
      ensemble: null,
      self: 12_345 as import('../../src/index.ts').ReplicaId,
      iceServers: () => [],
      openPair: openRtcPair,
      after: (ms, then) => pageClock.after(ms, then),
      chance: () => Math.random(),
    })
    await call.join()
    // One that never was.
    const session = { id: 5n as never, password: new Uint8Array(16) }
    const client = Client.connect(() => call.connect(), { clock: pageClock, random: Math.random, session })
    const signal = AbortSignal.timeout(20_000)
    const told = await client.connected({ signal }).catch(({ code, message }) => `${code}: ${message}`)
    call.close()
    return told
  })
  expect(end).toBe('SessionExpired: the session is over')
})
