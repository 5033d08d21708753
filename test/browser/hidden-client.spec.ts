import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Gateway } from '../../src/node/gateway.ts'
import { WebSocketProxy } from '../../src/node/proxy.ts'
import { findWholeChromium } from './chromium.ts'
import { expect, test } from './fixtures.ts'
import { inspectPuppet, openKeeper, type Puppet, Puppets } from './puppets.ts'

const HERE = { host: '127.0.0.1', port: 0 }

/** Who serves it, under which session; `told`: whatever happened to that meanwhile. */
const aboutOf = ({ page }: Puppet) =>
  page.evaluate(async () => {
    const { server, sessions } = await window.keeper.inspect()
    return { server, session: sessions[0]?.id, state: window.keeper.state, told: window.told }
  })

const createEphemeral = ({ page }: Puppet) =>
  page.evaluate(() => window.keeper.create('/here', null, { mode: 'ephemeral' }).then(() => undefined))

/** Of a timer of 1 s, in milliseconds. */
const longestPause = ({ page }: Puppet): Promise<number> =>
  page.evaluate(() => Math.max(...window.rings.slice(1).map((at, i) => Math.round(at - (window.rings[i] ?? 0)))))

test('clients without a replica, hidden where timers of pages ring once a minute, keep their sessions, and move them when a member dies @slow @whole-browser', async ({
  server,
}) => {
  test.setTimeout(240_000)
  const data = mkdtempSync(join(tmpdir(), 'tabkeeper-hidden-'))
  const gateway = await Gateway.start({ listen: HERE, data })
  const proxy = await WebSocketProxy.start({ listen: HERE, zookeeper: [gateway.address] })
  const puppets = new Puppets(
    server.origin,
    ['--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1'],
    findWholeChromium,
  )
  await puppets.start()
  try {
    const members: Puppet[] = []
    for (let i = 0; i < 3; i++) {
      const member = await puppets.open()
      await openKeeper(member, 'pages')
      members.push(member)
    }
    await expect
      .poll(async () => (await Promise.all(members.map(inspectPuppet))).map((one) => one.voters.length), {
        timeout: 20_000,
      })
      .toEqual([3, 3, 3])
    const guest = await puppets.open()
    await openKeeper(guest, 'pages', 10_000, { role: 'client' })
    const remote = await puppets.open()
    await openKeeper(remote, 'servers', 10_000, { server: `ws://127.0.0.1:${proxy.address.port}/` })
    const clients = [guest, remote]
    for (const client of clients) await createEphemeral(client)
    const before = await Promise.all(clients.map(aboutOf))
    await puppets.open()
    for (const { page } of clients) {
      expect(await page.evaluate(() => document.visibilityState)).toBe('hidden')
      await page.evaluate(() => {
        window.rings = [performance.now()]
        setInterval(() => window.rings.push(performance.now()), 1000)
      })
    }
    // Until the browser treats the page without a data channel as it does one that has been hidden for long.
    await expect.poll(() => longestPause(remote), { timeout: 150_000, intervals: [1000] }).toBeGreaterThan(50_000)
    console.log(`hidden clients: a timer of 1 s rang ${await longestPause(remote)} ms late`)
    expect(await Promise.all(clients.map(aboutOf))).toEqual(before)

    const replicas = await Promise.all(members.map(async (one) => (await inspectPuppet(one)).replica))
    const serving = replicas.findIndex((id) => before[0]?.server === `replica ${id}`)
    const began = Date.now()
    await (members[serving] as Puppet).crash()
    const others = replicas.filter((_, i) => i !== serving).map((id) => `replica ${id}`)
    await expect
      .poll(async () => others.includes((await aboutOf(guest)).server ?? ''), { timeout: 60_000, intervals: [100] })
      .toBe(true)
    console.log(
      `hidden clients: with another member ${Date.now() - began} ms after the crash of the one that served it`,
    )
    await guest.page.evaluate(() => window.keeper.setData('/here', 'still').then(() => undefined))
    expect((await aboutOf(guest)).session).toBe(before[0]?.session)
    expect(await guest.page.evaluate(() => window.keeper.getEphemerals())).toEqual(['/here'])
  } finally {
    await puppets.end()
    await proxy.close()
    await gateway.close()
    rmSync(data, { recursive: true, force: true })
  }
})
