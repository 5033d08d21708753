import { expect } from './fixtures.ts'
import { inspectPuppet, keepWriting, longestPause, type Puppet, untilGoneFor } from './puppets.ts'

export type Role = 'leader' | 'follower' | 'observer'
export const ROLES: readonly Role[] = ['leader', 'follower', 'observer']

export const SESSION_TIMEOUT = 4000

export interface Death {
  readonly name: string
  /** Nobody is told; only that it says nothing more. `beside`: of its own browser; `apart`: of another one. */
  readonly silent: { readonly beside: boolean; readonly apart: boolean }
  /** The browser may keep the page for its back button: others' browsers leave its session to the timeout then. */
  readonly mayReturn?: boolean
  readonly die: (victim: Puppet) => Promise<unknown>
}

const told = { beside: false, apart: false }
/** Locks of the browser tell; a renderer that is gone closes no connection. */
const known = { beside: false, apart: true }
const silent = { beside: true, apart: true }

export const deaths: readonly Death[] = [
  { name: 'page closed', silent: told, die: ({ page }) => page.close() },
  { name: 'navigated away', silent: told, mayReturn: true, die: ({ page }) => page.goto('about:blank') },
  { name: 'crashed', silent: known, die: (victim) => victim.crash() },
  { name: 'renderer killed', silent: known, die: async ({ pid }) => process.kill(pid, 'SIGKILL') },
  { name: 'renderer stopped', silent, die: async ({ pid }) => process.kill(pid, 'SIGSTOP') },
  { name: 'frozen', silent, die: (victim) => victim.freeze() },
]

/** Three voters and an observer, once they are that; `other` is a voter that lives. */
export type Mortals = Readonly<Record<Role, Puppet>> & { readonly other: Puppet }

export async function byRole(tabs: readonly Puppet[]): Promise<Mortals> {
  const roles = async () => (await Promise.all(tabs.map(inspectPuppet))).map(({ role }) => role).sort()
  await expect.poll(roles, { timeout: 20_000 }).toEqual(['following', 'following', 'leading', 'observing'])
  const all = await Promise.all(tabs.map(inspectPuppet))
  const the = (role: string): Puppet[] => tabs.filter((_, i) => all[i]?.role === role)
  const [leader] = the('leading')
  const [follower, other] = the('following')
  const [observer] = the('observing')
  if (!leader || !follower || !other || !observer) throw new Error('roles changed while they were read')
  return { leader, follower, observer, other }
}

/** A silent death is noticed by then, and what it interrupted goes on. */
const WATCHED_MS = 3000

/** Milliseconds: the longest that another one's writes waited for an answer, and from the death until the ephemerals of the dead are gone. */
export async function dies(mortals: Mortals, role: Role, die: Death['die']): Promise<readonly [number, number]> {
  const victim = mortals[role]
  await victim.page.evaluate(() => window.keeper.create('/mortal', null, { mode: 'ephemeral' }).then(() => undefined))
  await keepWriting(mortals.other, '/written')
  await mortals.other.page.waitForFunction(() => window.writes.length > 20, { polling: 20 })
  const at = Date.now()
  await die(victim)
  return Promise.all([longestPause(mortals.other, at, WATCHED_MS), untilGoneFor(mortals.other, '/mortal', at)])
}

export const HEADING = 'role      death             writes wait  ephemerals gone'

export const row = (role: Role, name: string, served: number, vanished: number): string =>
  `${role.padEnd(9)} ${name.padEnd(17)} ${String(served).padStart(6)} ms ${String(vanished).padStart(6)} ms`
