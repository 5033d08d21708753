import WebSocket from 'ws'
import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, type Page, test } from './fixtures.ts'
import { hostileServer } from './hostile-server.ts'
import { childrenOf, inspect, inspectAll, open, settled } from './in-page.ts'

const HOST = '127.0.0.1'
const secret = 'correct horse battery staple'

const serve = (youth = 0, port = 0) => SignalServer.start({ listen: { host: HOST, port }, founding: { youth } })
const urlOf = ({ address }: SignalServer) => `ws://${HOST}:${address.port}/`

/** Closes the pages, and forgives their browser what it says itself of servers that are away. */
const part = async (pages: readonly Page[], complaints: string[]): Promise<void> => {
  for (const page of pages) await page.close()
  const others = complaints.filter((one) => !one.includes('WebSocket connection to'))
  complaints.splice(0, complaints.length, ...others)
}

test('pages of two browsers form one ensemble by a signaling server and a secret; then nobody needs the server', async ({
  browsers,
  complaints,
}) => {
  const server = await serve()
  const signaling = [urlOf(server)]
  const [a, b, c] = (await browsers(3)) as [Page, Page, Page]
  await Promise.all([a, b, c].map((page) => open(page, 'far', { signaling, secret })))
  await settled([a, b, c])
  expect(new Set((await inspectAll([a, b, c])).map(({ replica }) => replica)).size).toBe(3)
  await a.evaluate(() => window.keeper.create('/from-a', 'x').then(() => undefined))
  expect(await childrenOf(b, '/')).toContain('from-a')
  expect(server.health.granted).toBe(1)

  await server.close()
  await b.evaluate(() => window.keeper.create('/from-b', 'x').then(() => undefined))
  expect(await childrenOf(c, '/')).toContain('from-b')
  await settled([a, b, c])
  await part([a, b, c], complaints)
})

for (const [who, word] of [
  ['another secret', 'wrong horse'],
  ['no secret', null],
] as const)
  test(`${who} gets a typed error on both sides, and gets nothing else`, async ({ browsers, complaints }) => {
    const server = await serve()
    const signaling = [urlOf(server)]
    const [a, b] = (await browsers(2)) as [Page, Page]
    // Beside the member, in the same browser: where it could read the databases, and joins nobody all the same.
    const c = await a.context().newPage()
    await c.goto(a.url())
    await c.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
    await open(a, 'guarded', { signaling, secret })
    const refusal = (page: Page) =>
      page.evaluate(
        ([servers, wrong]) =>
          window.tabkeeper.Keeper.open({ ensemble: 'guarded', signaling: servers, secret: wrong }).then(
            () => 'open',
            (error) => error.code,
          ),
        [signaling, word] as const,
      )
    expect(await refusal(b)).toBe('WrongSecret')
    await expect
      .poll(() => a.evaluate(() => window.notices.filter((one) => one.startsWith('WrongSecret'))))
      .toHaveLength(1)
    expect(await refusal(c)).toBe('WrongSecret')
    expect((await inspect(a)).links).toEqual([])
    await a.evaluate(() => window.keeper.create('/still-here').then(() => undefined))
    await part([a, b, c], complaints)
    await server.close()
  })

test('a server that reads, alters, replays and swaps signals, and a stranger who knows the topic: nobody learns or breaks anything', async ({
  browsers,
  complaints,
}) => {
  const server = await hostileServer()
  const options = { signaling: [server.url], secret }
  const [a, b, c] = (await browsers(3)) as [Page, Page, Page]
  await open(a, 'watched', options)
  await open(b, 'watched', options)
  // Whoever comes late is told everything again that was ever said.
  await open(c, 'watched', options)
  await settled([a, b, c])
  await a.evaluate(() => window.keeper.create('/written', 'x').then(() => undefined))
  expect(await childrenOf(c, '/')).toContain('written')

  const { ensembleId, replica } = await a.evaluate(async () => {
    const { ensembleId, replica } = await window.keeper.inspect()
    return { ensembleId, replica }
  })
  const all = server.read.join('\n')
  for (const readable of [ensembleId, 'watched', secret, 'fingerprint', 'candidate', 'announce', 'incarnation'])
    expect(all).not.toContain(readable)
  expect(server.read.length).toBeGreaterThan(10)

  const before = await inspectAll([a, b, c])
  const stranger = new WebSocket(server.url)
  await new Promise((resolve) => stranger.on('open', resolve))
  const me = { ensemble: ensembleId, from: 5, incarnation: 1 }
  for (const topic of server.topics)
    for (const signal of [
      { ...me, kind: 'announce' },
      { ...me, from: replica, incarnation: 99, kind: 'bye' },
      { ...me, to: replica, kind: 'signal', attempt: 1, data: { type: 'offer', sdp: 'v=0' } },
      { ...me, to: replica, kind: 'stepDown' },
      { kind: 'sealed', from: 5, to: null, box: btoa('x'.repeat(200)) },
    ])
      stranger.send(JSON.stringify({ type: 'publish', topic, signal }))
  await expect.poll(() => a.evaluate(() => window.notices.filter((one) => one.startsWith('BadPeer')))).toHaveLength(1)
  await b.evaluate(() => window.keeper.create('/still', 'x').then(() => undefined))
  expect(await childrenOf(c, '/')).toContain('still')
  const after = await inspectAll([a, b, c])
  const standing = (all: typeof before) =>
    all.map(({ role, leader, voters, links }) => ({ role, leader, voters, open: links.length }))
  expect(standing(after)).toEqual(standing(before))
  stranger.close()
  await server.close()
  await part([a, b, c], complaints)
})

test('nobody notices that the server died; a member introduces a newcomer; the server comes back and another joins by a link', async ({
  browsers,
  complaints,
}) => {
  const server = await serve()
  const options = { signaling: [urlOf(server)], secret }
  const [a, b, d] = (await browsers(3)) as [Page, Page, Page]
  await Promise.all([a, b].map((page) => open(page, 'known', options)))
  const { port } = server.address
  await server.close()
  await b.evaluate(() => window.keeper.create('/without', 'x').then(() => undefined))

  // Another tab beside the first one reaches that one by itself, and the other browser by introduction.
  const c = await a.context().newPage()
  await c.goto(a.url())
  await c.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  await open(c, 'known', options)
  expect(await childrenOf(c, '/')).toContain('without')
  await settled([a, b, c])
  await expect
    .poll(async () => (await inspect(c)).links.filter(({ state }) => state === 'open').length, { timeout: 15_000 })
    .toBe(2)

  // It knows nothing any more, and grants nothing yet: members remind it, and answer.
  const again = await serve(60_000, port)
  const link = await b.evaluate(() => window.keeper.invitation({ page: 'https://example.org/page' }))
  expect(link).toMatch(/^https:\/\/example\.org\/page#tabkeeper=tk1-/)
  await d.evaluate(async (text) => {
    window.keeper = await window.tabkeeper.Keeper.join(text)
  }, link)
  expect(await childrenOf(d, '/')).toContain('without')
  expect((await inspect(d)).replica).not.toBe((await inspect(a)).replica)
  await again.close()
  await part([a, b, c, d], complaints)
})

test('two first pages and two servers found one ensemble; a founder that died before it confirmed holds up nobody for long', async ({
  browsers,
  complaints,
}) => {
  const [one, two] = [
    await serve(),
    await SignalServer.start({
      listen: { host: HOST, port: 0 },
      founding: { youth: 0, lease: 6000 },
    }),
  ]
  const [a, b, c, d] = (await browsers(4)) as [Page, Page, Page, Page]
  const servers = [urlOf(one), urlOf(two)]
  await Promise.all([
    open(a, 'first', { signaling: servers, secret }),
    open(b, 'first', { signaling: [...servers].reverse(), secret }),
  ])
  const ids = await Promise.all(
    [a, b].map((page) => page.evaluate(async () => (await window.keeper.inspect()).ensembleId)),
  )
  expect(new Set(ids).size).toBe(1)
  expect(one.health.granted + two.health.granted).toBe(1)
  await one.close()
  await two.close()

  const short = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0, lease: 6000 } })
  // It gets the grant, and is gone before its first word.
  c.evaluate(
    ([url, word]) =>
      window.tabkeeper.Keeper.open({ ensemble: 'late', signaling: [url as string], secret: word as string }),
    [urlOf(short), secret],
  ).catch(() => undefined)
  await expect.poll(() => short.health.granted, { timeout: 15_000, intervals: [5] }).toBe(1)
  await c.close()
  expect(await open(d, 'late', { signaling: [urlOf(short)], secret })).toBeLessThan(20_000)
  await d.evaluate(() => window.keeper.create('/founded').then(() => undefined))
  await short.close()
  await part([a, b, d], complaints)
})

test('where nobody says who may found, the page says so and waits; `always` founds', async ({
  browsers,
  complaints,
}) => {
  const stock = await hostileServer({ founds: false })
  const [a, b] = (await browsers(2)) as [Page, Page]
  const opening = open(a, 'waiting', { signaling: [stock.url], secret })
  await expect
    .poll(() => a.evaluate(() => window.notices?.filter((one) => one.startsWith('FounderNeeded')).length), {
      timeout: 20_000,
    })
    .toBe(1)
  await open(b, 'waiting', { signaling: [stock.url], secret, create: 'always' })
  await opening
  await settled([a, b], 1)
  await stock.close()
  await part([a, b], complaints)
})

test('an ensemble that is empty gives way when its founder comes back; one with content does not', async ({
  browsers,
  complaints,
}) => {
  const server = await serve()
  const options = { signaling: [urlOf(server)], secret }
  const [a, b] = (await browsers(2)) as [Page, Page]
  await open(a, 'twice', { ...options, create: 'always' })
  await open(b, 'twice', { ...options, create: 'always' })
  for (const page of [a, b])
    await expect
      .poll(() => page.evaluate(() => window.notices.filter((one) => one.startsWith('EnsembleMismatch')).length))
      .toBe(1)
  await b.evaluate(() => window.keeper.create('/kept').then(() => undefined))
  await a.reload()
  await a.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  await open(a, 'twice', options)
  expect(await childrenOf(a, '/')).toContain('kept')
  await b.reload()
  await b.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  await open(b, 'twice', options)
  expect(await childrenOf(b, '/')).toContain('kept')
  await part([a, b], complaints)
  await server.close()
})

declare global {
  interface Window {
    /** The medium of an application's own: what one page posts, every other one hears. */
    post(text: string): Promise<void>
    hearPost(text: string): void
  }
}

test("an application's own signaling of three functions, which reads nothing, brings pages of two browsers together", async ({
  browsers,
  complaints,
}) => {
  const pages = (await browsers(3)) as [Page, Page, Page]
  const carried: string[] = []
  for (const page of pages)
    await page.exposeFunction('post', async (text: string) => {
      carried.push(text)
      for (const other of pages)
        if (other !== page) await other.evaluate((one) => window.hearPost?.(one), text).catch(() => undefined)
    })
  const openOwn = (page: Page, create: 'always' | 'auto' | 'never') =>
    page.evaluate(
      async ([word, how]) => {
        let hear: ((topic: string, signal: never) => void) | null = null
        let joined = ''
        window.hearPost = (text) => {
          const { topic, signal } = JSON.parse(text)
          hear?.(topic, signal as never)
        }
        window.notices = []
        window.keeper = await window.tabkeeper.Keeper.open({
          ensemble: 'own',
          secret: word,
          create: how,
          onNotice: ({ code, message }) => window.notices.push(`${code}: ${message}`),
          signaling: {
            async join(topic, onSignal) {
              joined = topic
              hear = (of, signal) => {
                if (of === topic) onSignal(signal)
              }
            },
            send: (signal) => void window.post(JSON.stringify({ topic: joined, signal })),
            leave: () => {
              hear = null
            },
          },
        })
      },
      [secret, create] as const,
    )
  const [a, b, c] = pages
  await openOwn(a, 'always')
  await Promise.all([openOwn(b, 'auto'), openOwn(c, 'never')])
  await settled(pages)
  await a.evaluate(() => window.keeper.create('/carried').then(() => undefined))
  for (const page of pages) expect(await childrenOf(page, '/')).toContain('carried')
  for (const page of pages) expect(await page.evaluate(() => window.notices)).toEqual([])
  const all = carried.join('\n')
  for (const readable of ['"own"', 'fingerprint', 'candidate', 'announce']) expect(all).not.toContain(readable)
  expect(carried.length).toBeGreaterThan(10)
  await part(pages, complaints)
})
