import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../../src/client/client.ts'
import { Gateway } from '../../src/node/gateway.ts'
import { SignalServer } from '../../src/node/signal-server.ts'
import { connected, overTcp } from '../zookeeper/clients.ts'
import { expect, test } from './fixtures.ts'
import { childrenOf, inspect, open } from './in-page.ts'

const HERE = { host: '127.0.0.1', port: 0 }

test('a gateway is a member among pages, serves their tree over TCP, and keeps it when the last page is closed', async ({
  tabs,
}) => {
  test.setTimeout(120_000)
  const data = mkdtempSync(join(tmpdir(), 'tabkeeper-gateway-'))
  const signal = await SignalServer.start({ listen: HERE, founding: { youth: 0 } })
  const url = `ws://127.0.0.1:${signal.address.port}`
  const notices: string[] = []
  const start = () =>
    Gateway.start({
      listen: HERE,
      data,
      ensemble: { name: 'shared', secret: 'open sesame', signal: [url] },
      notice: (message) => notices.push(message),
    })
  let gateway: Gateway | null = null
  let client: Client | null = null
  try {
    const pages = await tabs(2)
    for (const page of pages) await open(page, 'shared', { signaling: [url], secret: 'open sesame', create: 'auto' })
    gateway = await start()
    // A failure domain of its own: it gets a vote.
    await expect.poll(async () => (await gateway?.inspect())?.voters.length, { timeout: 20_000 }).toBe(3)
    client = await connected(overTcp(gateway.address.port))
    await pages[0]?.evaluate(() => window.keeper.create('/of-a-page', 'x', { mode: 'ephemeral' }).then(() => undefined))
    await client.sync('/')
    expect(await client.exists('/of-a-page')).not.toBeNull()
    const told = new Promise((resolve) => client?.exists('/of-a-page', { watch: ({ type }) => resolve(type) }))
    await client.create('/over-tcp', 'y')
    for (const page of pages) expect(await childrenOf(page, '/')).toContain('over-tcp')

    await pages[0]?.close()
    expect(await told).toBe('NodeDeleted')
    await expect.poll(async () => (await gateway?.inspect())?.voters.length, { timeout: 40_000 }).toBe(1)
    await pages[1]?.close()
    await expect.poll(async () => (await gateway?.inspect())?.role, { timeout: 20_000 }).toBe('leading')
    await client.create('/alone', 'z')

    // It comes back with what it has, and so do the pages.
    await client.close()
    await gateway.close()
    gateway = await start()
    const [again] = await tabs(1)
    if (again === undefined) throw new Error('no tab')
    await open(again, 'shared', { signaling: [url], secret: 'open sesame' })
    expect(await childrenOf(again, '/')).toEqual(expect.arrayContaining(['alone', 'over-tcp']))
    expect((await inspect(again)).leader).toBe((await gateway.inspect()).leader)
  } catch (error) {
    console.log(notices.join('\n'))
    throw error
  } finally {
    await client?.close().catch(() => undefined)
    await gateway?.close()
    await signal.close()
    rmSync(data, { recursive: true, force: true })
  }
})
