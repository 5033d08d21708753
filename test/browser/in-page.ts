import type { Keeper, KeeperOpenOptions } from '../../src/index.ts'
import { expect, type Page } from './fixtures.ts'

declare global {
  interface Window {
    tabkeeper: typeof import('../../src/index.ts')
    keeper: Keeper
    notices: string[]
    acked: number[]
    seen: string[]
    gone: Promise<number>
    kept: unknown
  }
}

export const open = (
  page: Page,
  ensemble: string,
  options: Partial<Omit<KeeperOpenOptions, 'ensemble'>> = {},
): Promise<number> =>
  page.evaluate(
    async ([name, rest]) => {
      window.notices = []
      const began = performance.now()
      window.keeper = await window.tabkeeper.Keeper.open({
        ensemble: name,
        ...rest,
        onNotice: ({ code, message }) => window.notices.push(`${code}: ${message}`),
      })
      return performance.now() - began
    },
    [ensemble, options] as const,
  )

export const inspect = (page: Page) =>
  page.evaluate(async () => {
    const { role, leader, replica, voters, links, zxid, tree, incarnation, sessions } = await window.keeper.inspect()
    return { role, leader, replica, voters, links, zxid, digest: tree.digest, incarnation, sessions }
  })

export const inspectAll = (pages: readonly Page[]) => Promise.all(pages.map(inspect))

/** Until every page votes and sees the same leader; gives the index of the page that leads. */
export async function settled(pages: readonly Page[], voters = pages.length): Promise<number> {
  await expect
    .poll(
      async () => {
        const all = await inspectAll(pages)
        const leaders = new Set(all.map(({ leader }) => leader))
        return { leaders: leaders.size, led: !leaders.has(null), voters: all.map((one) => one.voters.length) }
      },
      { timeout: 10_000, intervals: [50] },
    )
    .toEqual({ leaders: 1, led: true, voters: pages.map(() => voters) })
  const all = await inspectAll(pages)
  return all.findIndex(({ role }) => role === 'leading')
}

export const childrenOf = (page: Page, path: string) =>
  page.evaluate(async (at) => {
    await window.keeper.sync(at)
    return (await window.keeper.getChildren(at)).children
  }, path)

/** Arms a watch; what it gives resolves with the time at which the node, seen before, vanished. */
export async function whenGone(page: Page, path: string): Promise<() => Promise<number>> {
  await page.evaluate(async (at) => {
    await window.keeper.sync(at)
    await new Promise<void>((armed, reject) => {
      window.gone = new Promise((resolve) => {
        window.keeper.exists(at, { watch: () => resolve(Date.now()) }).then((stat) => {
          if (stat === null) reject(new Error(`${at} is not there`))
          else armed()
        }, reject)
      })
    })
  }, path)
  return () => page.evaluate(() => window.gone)
}
