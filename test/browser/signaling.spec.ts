import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, inspect, inspectAll, open, settled } from './in-page.ts'

const HOST = '127.0.0.1'
const secret = 'correct horse battery staple'

const serve = (youth = 0, port = 0) => SignalServer.start({ listen: { host: HOST, port }, founding: { youth } })
const urlOf = ({ address }: SignalServer) => `ws://${HOST}:${address.port}/`

/** A browser says so itself when a server is away. */
const forgiveRefusals = (complaints: string[]): void => {
  const others = complaints.filter((one) => !one.includes('ERR_CONNECTION_REFUSED'))
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
  forgiveRefusals(complaints)
})

test('another secret gets a typed error on both sides, and gets nothing else', async ({ browsers }) => {
  const server = await serve()
  const signaling = [urlOf(server)]
  const [a, b] = (await browsers(2)) as [Page, Page]
  await open(a, 'guarded', { signaling, secret })
  const refused = await b.evaluate(async (servers) => {
    const opening = window.tabkeeper.Keeper.open({ ensemble: 'guarded', signaling: servers, secret: 'wrong horse' })
    return opening.then(
      () => 'open',
      (error) => error.code,
    )
  }, signaling)
  expect(refused).toBe('WrongSecret')
  await expect
    .poll(() => a.evaluate(() => window.notices.filter((one) => one.startsWith('WrongSecret'))))
    .toHaveLength(1)
  expect((await inspect(a)).links).toEqual([])
  await a.evaluate(() => window.keeper.create('/still-here').then(() => undefined))
  await server.close()
})
