import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeeperOpenOptions } from '../../src/index.ts'
import { type Ground, optionsOf, withChromiums } from './ground.ts'
import { openKeeper, paths, settled, until, write } from './in-tab.ts'
import { serveSignal, signalUrl } from './stations.ts'

const RELAY = 's2'
const SECRET = 'known-to-the-TURN-server-and-to-ours'

const guide = readFileSync(new URL('../../docs/guides/turn.md', import.meta.url), 'utf8')
const block = (language: string, holds: string): string => {
  const all = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language)
  const found = all.map(([, , text = '']) => text).find((text) => text.includes(holds))
  assert.ok(found !== undefined, `docs/guides/turn.md has no ${language} with ${holds}`)
  return found
}

/** As the guide makes them, for a server at this address. */
async function credentials(host: string): Promise<RTCIceServer[]> {
  const code = block('js', 'createHmac').replaceAll('turn.example.org', host)
  const made = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  return made.turnServers(SECRET, 'somebody')
}

/** Devices that reach each other by a TURN server only: the one of the guide, with the guide's credentials. */
export async function relay(ground: Ground): Promise<void> {
  const { network, report } = ground
  await serveSignal(network, 's1')
  const home = mkdtempSync(join(tmpdir(), 'tabkeeper-relay-'))
  const host = network.address(RELAY)
  const conf = join(home, 'turnserver.conf')
  writeFileSync(conf, block('conf', 'use-auth-secret').replace('LONG-RANDOM-SECRET', SECRET))
  const words = `-c ${conf} -v -L ${host} -E ${host} --no-tls --no-dtls --no-cli -l stdout --simple-log --pidfile ${home}/pid --db ${home}/db`
  const [command, args] = network.on(RELAY, 'turnserver', ...words.split(' '))
  const turn = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => turn.once('exit', resolve))
  let said = ''
  turn.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const turnServers = await credentials(host)
  const shapes: readonly [string, Partial<KeeperOpenOptions>][] = [
    ['devices with no path to each other meet by a TURN server', { iceServers: turnServers }],
    [
      'devices that are told to use nothing else meet by a TURN server',
      { iceServers: turnServers, iceTransportPolicy: 'relay' },
    ],
  ]
  try {
    await until('a TURN server', 10_000, async () => (said.includes('listener') ? null : said))
    for (const [name, ice] of shapes)
      await report.check(name, async () => {
        const told = said.length
        if (ice.iceTransportPolicy === undefined) network.cut('d1', 'd2')
        try {
          await withChromiums(ground, ['d1', 'd2'], async (devices) => {
            const tabs = await Promise.all(devices.map((device) => device.open()))
            const options = { ...optionsOf(`relayed ${told}`, signalUrl(network, 's1')), ...ice }
            await Promise.all(tabs.map((tab) => openKeeper(tab, options)))
            for (const tab of tabs) await write(tab, `/from-${tab.device}`)
            for (const tab of tabs)
              for (const { device } of tabs) assert.ok((await paths(tab)).includes(`/from-${device}`))
            await settled(tabs, 1)
          })
        } finally {
          network.heal()
        }
        assert.match(said.slice(told), /CREATE_PERMISSION processed, success|CHANNEL_BIND processed, success/)
      })
    await report.check('devices with no path and no TURN server are told that they need one', () =>
      withChromiums(ground, ['d1', 'd2'], async (devices) => {
        network.cut('d1', 'd2')
        try {
          const [a, b] = await Promise.all(devices.map((device) => device.open()))
          assert.ok(a !== undefined && b !== undefined)
          const options = optionsOf('apart', signalUrl(network, 's1'))
          await openKeeper(a, options)
          openKeeper(b, options).catch(() => undefined)
          await until('the notice NoPath', 60_000, async () => {
            const notices = await a.evaluate(() => window.notices)
            return notices.some((one) => one.startsWith('NoPath')) ? null : notices.join(' ')
          })
        } finally {
          network.heal()
        }
      }),
    )
  } finally {
    turn.kill('SIGKILL')
    await ended
    rmSync(home, { recursive: true, force: true })
  }
}
