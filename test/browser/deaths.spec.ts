import { SignalServer } from '../../src/node/signal-server.ts'
import { expect, test } from './fixtures.ts'
import { byRole, type Death, deaths, dies, HEADING, ROLES, row, SESSION_TIMEOUT } from './mortal.ts'
import { NO_GIVING_WAY, openKeeper, type Puppet, Puppets } from './puppets.ts'

test('table of deaths in one browser @slow', async ({ server }) => {
  test.setTimeout(300_000)
  const puppets = new Puppets(server.origin)
  await puppets.start()
  const rows: string[] = []
  try {
    for (const role of ROLES) {
      for (const { name, silent, die } of deaths) {
        const tabs: Puppet[] = []
        for (let i = 0; i < 4; i++) {
          const tab = await puppets.open()
          await openKeeper(tab, `${role} ${name}`, SESSION_TIMEOUT, NO_GIVING_WAY)
          tabs.push(tab)
        }
        const mortals = await byRole(tabs)
        const [served, vanished] = await dies(mortals, role, die)
        rows.push(row(role, name, served, vanished))
        console.log(rows.at(-1))
        expect(served).toBeLessThan(silent.beside ? 5000 : 1500)
        // A silent death is known by the session's timeout, counted anew by a new leader.
        expect(vanished).toBeLessThan(silent.beside ? SESSION_TIMEOUT + 5000 : 2000)
        if (name === 'renderer stopped') process.kill(mortals[role].pid, 'SIGKILL')
        for (const { page } of tabs) await page.close().catch(() => undefined)
      }
    }
  } finally {
    console.log([HEADING, ...rows].join('\n'))
    await puppets.end()
  }
})

test('a leader crashes, seven times over: how long until the next acknowledged write, at the median @slow', async ({
  server,
}) => {
  test.setTimeout(200_000)
  const puppets = new Puppets(server.origin)
  await puppets.start()
  const crash = deaths.find(({ name }) => name === 'crashed')
  const times: number[] = []
  try {
    for (let i = 0; i < 7; i++) {
      const tabs: Puppet[] = []
      for (let n = 0; n < 4; n++) {
        const tab = await puppets.open()
        await openKeeper(tab, `again ${i}`, SESSION_TIMEOUT, NO_GIVING_WAY)
        tabs.push(tab)
      }
      const [served] = await dies(await byRole(tabs), 'leader', crash?.die ?? fail)
      times.push(served)
      for (const { page } of tabs) await page.close().catch(() => undefined)
    }
  } finally {
    await puppets.end()
  }
  const median = times.sort((a, b) => a - b)[3]
  console.log(`crash of the leader to the next acknowledged write: ${times.join(', ')} ms; median ${median} ms`)
  expect(median).toBeLessThan(1000)
})

function fail(): never {
  throw new Error('no such death')
}

test('table of deaths among browsers that know each other by a signaling server @slow', async ({ server }) => {
  test.setTimeout(500_000)
  const signal = await SignalServer.start({ listen: { host: '127.0.0.1', port: 0 } })
  const access = { signaling: [`ws://127.0.0.1:${signal.address.port}/`], secret: 'correct horse battery staple' }
  const browsers = Array.from({ length: 4 }, () => new Puppets(server.origin))
  for (const browser of browsers) await browser.start()
  const rows: string[] = []
  const all: readonly Death[] = [
    ...deaths,
    { name: 'browser killed', silent: { beside: true, apart: true }, die: async () => undefined },
  ]
  try {
    for (const role of ROLES) {
      for (const { name, silent, mayReturn = false, die } of all) {
        const tabs: Puppet[] = []
        for (const browser of browsers) {
          const tab = await browser.open()
          const create = tabs.length === 0 ? 'always' : 'never'
          await openKeeper(tab, `apart ${role} ${name}`, SESSION_TIMEOUT, {
            ...access,
            ...NO_GIVING_WAY,
            create,
          })
          tabs.push(tab)
        }
        const mortals = await byRole(tabs)
        const its = browsers[tabs.indexOf(mortals[role])]
        const [served, vanished] = await dies(
          mortals,
          role,
          name === 'browser killed' ? () => its?.kill() ?? Promise.resolve() : die,
        )
        rows.push(row(role, name, served, vanished))
        console.log(rows.at(-1))
        expect(served).toBeLessThan(silent.apart ? 5000 : 1500)
        expect(vanished).toBeLessThan(silent.apart || mayReturn ? SESSION_TIMEOUT + 5000 : 2000)
        if (name === 'renderer stopped') process.kill(mortals[role].pid, 'SIGKILL')
        if (name === 'browser killed') await its?.start()
        for (const { page } of tabs) await page.close().catch(() => undefined)
      }
    }
  } finally {
    console.log([HEADING, ...rows].join('\n'))
    for (const browser of browsers) await browser.end()
    await signal.close()
  }
})
