import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, open, settled } from './in-page.ts'

const HOST = '127.0.0.1'
const secret = 'correct horse battery staple'

const codeOf = (page: Page, force: boolean) =>
  page.evaluate(
    (yes) =>
      window.keeper.recover({ force: yes as true }).then(
        () => 'done',
        (error) => error.code,
      ),
    force,
  )
const create = (page: Page, path: string) => page.evaluate((at) => window.keeper.create(at).then(() => undefined), path)
const about = (page: Page) =>
  page.evaluate(async () => {
    const { ensembleId, forkedFrom, voters, replica } = await window.keeper.inspect()
    return { ensembleId, forkedFrom, voters, replica }
  })
const notices = (page: Page) => page.evaluate(() => window.notices)

/** The page of a tab that crashed, opened again in its browser. */
async function reopened(page: Page): Promise<Page> {
  const again = await page.context().newPage()
  await again.goto(page.url())
  await again.waitForFunction(() => 'tabkeeper' in window, undefined, { polling: 50 })
  return again
}

test('two of three voters are gone: the third makes a new ensemble of what it holds; those who come back stay in the old one', async ({
  browsers,
  crash,
  complaints,
}) => {
  test.setTimeout(120_000)
  const server = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0 } })
  const signaling = [`ws://${HOST}:${server.address.port}/`]
  const [a, b, c] = (await browsers(3)) as [Page, Page, Page]
  for (const page of [a, b, c]) await open(page, 'forked', { signaling, secret, sessionTimeout: 4000 })
  await settled([a, b, c])
  const parent = (await about(a)).ensembleId
  const acked = await b.evaluate(async () => {
    const { keeper } = window
    await keeper.create('/kept')
    const made = await Promise.all(Array.from({ length: 200 }, (_, n) => keeper.create(`/kept/${n}`)))
    await keeper.create('/of-b', '', { mode: 'ephemeral' })
    return made.map(({ path }) => path.slice('/kept/'.length))
  })
  await create(a, '/of-a')
  expect(await codeOf(a, false)).toBe('BadArguments')
  expect(await codeOf(a, true)).toBe('StillRunning')
  expect(await a.evaluate(() => window.keeper.state)).toBe('connected')

  // Another page of this browser may know more. Whoever is refused has lost nothing.
  const neighbour = await reopened(a)
  await open(neighbour, 'forked', { signaling, secret })
  await Promise.all([crash(b), crash(c)])
  await expect.poll(() => a.evaluate(() => window.keeper.state), { timeout: 20_000 }).not.toBe('connected')
  expect(await codeOf(a, true)).toBe('StillRunning')
  expect((await about(a)).ensembleId).toBe(parent)
  await neighbour.close()
  const { before, ms } = await a.evaluate(async () => {
    const old = window.keeper
    const began = performance.now()
    window.keeper = await old.recover({ force: true })
    return { before: old.state, ms: performance.now() - began }
  })
  console.log(`recovered after ${ms.toFixed(0)} ms, 8 s of which it looked for a quorum`)
  expect(before).toMatch(/closed|lost/)
  await create(a, '/after')
  expect(new Set(await childrenOf(a, '/kept'))).toEqual(new Set(acked))
  expect(new Set(await childrenOf(a, '/'))).toEqual(new Set(['zookeeper', 'kept', 'of-a', 'after']))
  const forked = await about(a)
  expect(forked.ensembleId).not.toBe(parent)
  expect(forked.forkedFrom?.ensemble).toBe(parent)
  expect(forked.voters).toEqual([forked.replica])

  // The others come back, find each other, and go on with what they were.
  const [b2, c2] = await Promise.all([reopened(b), reopened(c)])
  await Promise.all([b2, c2].map((page) => open(page, 'forked', { signaling, secret, sessionTimeout: 4000 })))
  for (const page of [b2, c2]) expect((await about(page)).ensembleId).toBe(parent)
  await create(b2, '/parent')
  expect(await childrenOf(c2, '/')).toEqual(expect.arrayContaining(['kept', 'of-a', 'parent']))
  expect(await childrenOf(c2, '/')).not.toContain('after')
  expect(await childrenOf(a, '/')).not.toContain('parent')
  for (const page of [a, b2, c2])
    await expect
      .poll(() => notices(page), { timeout: 20_000 })
      .toContainEqual(expect.stringMatching(/^EnsembleMismatch/))

  // Whoever wants to, moves over; and this browser opens what it has made.
  const invitation = await a.evaluate(() => window.keeper.invitation())
  const closed = await b2.evaluate(async (word) => {
    const { keeper } = window
    await keeper.close()
    window.keeper = await window.tabkeeper.Keeper.join(word)
    // Whoever has left speaks for nobody.
    return keeper.invitation().catch((error) => error.code)
  }, invitation)
  expect(closed).toBe('Closed')
  expect(await childrenOf(b2, '/')).toContain('after')
  const second = await reopened(a)
  await open(second, 'forked', { signaling, secret })
  expect((await about(second)).ensembleId).toBe(forked.ensembleId)
  for (const page of [a, b2, c2, second]) await page.close()
  await server.close()
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes('WebSocket connection to')))
})

test('all are gone, and one comes back: without a quorum it has no keeper, and recovers all the same @slow', async ({
  browsers,
  crash,
  complaints,
}) => {
  test.setTimeout(120_000)
  const server = await SignalServer.start({ listen: { host: HOST, port: 0 }, founding: { youth: 0 } })
  const signaling = [`ws://${HOST}:${server.address.port}/`]
  const [a, b, c] = (await browsers(3)) as [Page, Page, Page]
  const recover = (page: Page) =>
    page.evaluate(
      (options) =>
        window.tabkeeper.Keeper.recover({ ensemble: 'late', force: true, ...options }).then(
          (keeper) => {
            window.keeper = keeper
            return 'done'
          },
          (error) => error.code,
        ),
      { signaling, secret },
    )
  expect(await recover(a)).toBe('NoNode')
  for (const page of [a, b, c]) await open(page, 'late', { signaling, secret, sessionTimeout: 4000 })
  await settled([a, b, c])
  const parent = await about(a)
  await create(b, '/kept')
  expect(await childrenOf(a, '/')).toContain('kept')
  await Promise.all([a, b, c].map(crash))
  const again = await reopened(a)
  expect(await recover(again)).toBe('done')
  expect(await childrenOf(again, '/')).toContain('kept')
  expect((await about(again)).forkedFrom?.ensemble).toBe(parent.ensembleId)
  // A page that is there may not be overlooked.
  const second = await reopened(a)
  expect(await recover(second)).toBe('StillRunning')
  for (const page of [again, second]) await page.close()
  await server.close()
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes('WebSocket connection to')))
})
