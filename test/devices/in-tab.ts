import type { Keeper, KeeperOpenOptions } from '../../src/index.ts'
import type { Tab } from './device.ts'

declare global {
  interface Window {
    tabkeeper: typeof import('../../src/index.ts')
    keeper: Keeper
    notices: string[]
    journal: Write[]
    writing: boolean
  }
}

/** One create, its times by the machine's clock, which all devices share here; null as long as nothing was answered. */
export interface Write {
  readonly path: string
  readonly sent: number
  acked: number | null
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks until `look` gives null, or says by its last words what is still missing. */
export async function until(what: string, within: number, look: () => Promise<string | null>): Promise<void> {
  const deadline = Date.now() + within
  for (;;) {
    const lacks = await look()
    if (lacks === null) return
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what} (${lacks})`)
    await sleep(100)
  }
}

export const openKeeper = (tab: Tab, options: KeeperOpenOptions): Promise<void> =>
  tab.evaluate(async (given: KeeperOpenOptions) => {
    window.notices = []
    window.keeper = await window.tabkeeper.Keeper.open({
      ...given,
      onNotice: ({ code, message }) => window.notices.push(`${code}: ${message}`),
    })
  }, options)

export const inspect = (tab: Tab) =>
  tab.evaluate(async () => {
    const { ensembleId, replica, role, leader, voters, links, zxid, tree } = await window.keeper.inspect()
    return { ensembleId, replica, role, leader, voters, links, zxid: zxid.applied, digest: tree.digest }
  })

export const inspectAll = (tabs: readonly Tab[]) => Promise.all(tabs.map(inspect))

/** Until all follow one leader with so many voters; gives the leader's tab. */
export async function settled(tabs: readonly Tab[], voters = tabs.length, within = 30_000): Promise<Tab> {
  let leading: Tab | undefined
  await until('one leader of all', within, async () => {
    const all = await inspectAll(tabs)
    leading = tabs[all.findIndex(({ role }) => role === 'leading')]
    const agreed = new Set(all.map(({ leader }) => leader)).size === 1 && all[0]?.leader !== null
    const said = all.map(({ role, leader, voters }) => `${role} ${leader} ${voters.length}`).join(', ')
    return agreed && all.every((one) => one.voters.length === voters) ? null : said
  })
  if (leading === undefined) throw new Error('The leader is none of these tabs.')
  return leading
}

export const write = (tab: Tab, path: string): Promise<void> =>
  tab.evaluate(async (at: string) => {
    await window.keeper.create(at)
  }, path)

/** What is below the root, as of now. */
export const paths = (tab: Tab): Promise<string[]> =>
  tab.evaluate(async () => {
    await window.keeper.sync('/')
    return (await window.keeper.getChildren('/')).children.map((name) => `/${name}`)
  })

/** Creates on and on, one at a time, some ten in a second, until `stopWriting`; `window.journal` has what became of each. */
export const startWriting = (tab: Tab, name: string): Promise<void> =>
  tab.evaluate((stem: string) => {
    const journal: Write[] = []
    window.journal = journal
    window.writing = true
    const go = async (): Promise<void> => {
      for (let n = 0; window.writing && window.journal === journal; n++) {
        const one: Write = { path: `/${stem}-${n}`, sent: Date.now(), acked: null }
        journal.push(one)
        await window.keeper.create(one.path).then(
          () => {
            one.acked = Date.now()
          },
          () => undefined,
        )
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    void go()
  }, name)

export const stopWriting = (tab: Tab): Promise<Write[]> =>
  tab.evaluate(() => {
    window.writing = false
    return window.journal
  })

/** Until all stand at one zxid with one digest and have all these nodes. */
export async function converged(tabs: readonly Tab[], acked: readonly string[], within = 30_000): Promise<void> {
  await until('the same state everywhere', within, async () => {
    const all = await inspectAll(tabs)
    const states = new Set(all.map(({ zxid, digest }) => `${zxid} ${digest}`))
    return states.size === 1 ? null : [...states].join(', ')
  })
  for (const tab of tabs) {
    const there = new Set(await paths(tab))
    const lost = acked.filter((path) => !there.has(path))
    if (lost.length > 0)
      throw new Error(`${tab.device} has lost ${lost.length} acknowledged writes: ${lost.slice(0, 5)}`)
  }
}
