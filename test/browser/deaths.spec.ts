import { expect, test } from './fixtures.ts'
import { inspectPuppet, keepWriting, openKeeper, type Puppet, Puppets, untilGoneFor, untilServed } from './puppets.ts'

type Role = 'leader' | 'follower' | 'observer'

const SESSION_TIMEOUT = 4000

/** `silent`: nobody is told; only that it says nothing more. */
const deaths: readonly {
  readonly name: string
  readonly silent: boolean
  readonly die: (victim: Puppet) => Promise<unknown>
}[] = [
  { name: 'page closed', silent: false, die: ({ page }) => page.close() },
  { name: 'navigated away', silent: false, die: ({ page }) => page.goto('about:blank') },
  { name: 'crashed', silent: false, die: (victim) => victim.crash() },
  { name: 'renderer killed', silent: false, die: async ({ pid }) => process.kill(pid, 'SIGKILL') },
  { name: 'renderer stopped', silent: true, die: async ({ pid }) => process.kill(pid, 'SIGSTOP') },
  { name: 'frozen', silent: true, die: (victim) => victim.freeze() },
]

/** Three voters and an observer of one browser. */
async function ensembleOf(puppets: Puppets, name: string): Promise<Record<Role, Puppet> & { readonly other: Puppet }> {
  const tabs: Puppet[] = []
  for (let i = 0; i < 4; i++) {
    const tab = await puppets.open()
    await openKeeper(tab, name, SESSION_TIMEOUT)
    tabs.push(tab)
  }
  const roles = async () => (await Promise.all(tabs.map(inspectPuppet))).map(({ role }) => role).sort()
  await expect.poll(roles, { timeout: 15_000 }).toEqual(['following', 'following', 'leading', 'observing'])
  const all = await Promise.all(tabs.map(inspectPuppet))
  const the = (role: string): Puppet[] => tabs.filter((_, i) => all[i]?.role === role)
  const [leader] = the('leading')
  const [follower, other] = the('following')
  const [observer] = the('observing')
  if (!leader || !follower || !other || !observer) throw new Error('roles changed while they were read')
  return { leader, follower, observer, other }
}

test('table of deaths in one browser @slow', async ({ server }) => {
  test.setTimeout(300_000)
  const puppets = new Puppets(server.origin)
  await puppets.start()
  const rows: string[] = []
  try {
    for (const role of ['leader', 'follower', 'observer'] as const) {
      for (const { name, silent, die } of deaths) {
        const ensemble = await ensembleOf(puppets, `${role} ${name}`)
        const victim = ensemble[role]
        await victim.page.evaluate(() =>
          window.keeper.create('/mortal', null, { mode: 'ephemeral' }).then(() => undefined),
        )
        await keepWriting(ensemble.other, '/written')
        await ensemble.other.page.waitForFunction(() => window.writes.length > 20, { polling: 20 })
        const at = Date.now()
        await die(victim)
        const [served, vanished] = await Promise.all([
          untilServed(ensemble.other, at),
          untilGoneFor(ensemble.other, '/mortal', at),
        ])
        rows.push(
          `${role.padEnd(9)} ${name.padEnd(17)} ${String(served).padStart(6)} ms ${String(vanished).padStart(6)} ms`,
        )
        console.log(rows.at(-1))
        expect(served).toBeLessThan(silent ? 5000 : 1500)
        // A silent death is known by the session's timeout, counted anew by a new leader.
        expect(vanished).toBeLessThan(silent ? SESSION_TIMEOUT + 5000 : 2000)
        if (name === 'renderer stopped') process.kill(victim.pid, 'SIGKILL')
        for (const { page } of new Set(Object.values(ensemble))) await page.close().catch(() => undefined)
      }
    }
  } finally {
    console.log(['role      death             writes served  ephemerals gone', ...rows].join('\n'))
    await puppets.end()
  }
})
