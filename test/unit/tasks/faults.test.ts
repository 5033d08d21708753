import { expect, test } from 'vitest'
import type { ZnodeClient } from '../../../src/client/api.ts'
import { QueuePaths } from '../../../src/tasks/queue-paths.ts'
import { decodeRecord } from '../../../src/tasks/task-record.ts'
import type { TaskContext } from '../../../src/tasks/task-types.ts'
import type { Tab } from '../recipes/tabs.ts'
import { type Office, Offices } from './offices.ts'

const TASKS = 60
const paths = new QueuePaths('q')

/** A run commits one of these together with its result: a second completion shows as a second node. */
const mark = (id: string): string => `/won/${id}-`

const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 8) }, (_, i) => i + 1)

test.each(seeds)(
  'seed %i: with connections and pages failing, no task is lost and none completes twice',
  async (seed) => {
    const tabs = new Offices(seed)
    const dispatchers = [await tabs.dispatch({}, 3000), await tabs.dispatch({}, 3000)]
    const submitter = await tabs.office(60_000)
    const reader = (await tabs.open(60_000, true)).client
    await tabs.until(reader.create('/won'))
    const doubles = await tabs.until(watchLeases(reader))
    const pages: Office[] = []
    const asleep: { readonly tab: Tab; readonly until: number }[] = []
    let runs = 0
    const work = async (): Promise<void> => {
      const page = await tabs.office(3000)
      pages.push(page)
      const run = async (n: number, context: TaskContext): Promise<number> => {
        runs++
        context.alsoCommit([
          { op: 'create', path: mark(context.id), data: String(context.attempt), mode: 'persistentSequential' },
        ])
        await new Promise<void>((resolve) => page.tab.clock.after(tabs.draw() * 300, resolve))
        if (tabs.draw() < 0.1) throw new Error('bad luck')
        return n * 2
      }
      const opening = page.queue.worker({ double: run }, { slots: 3 })
      opening.catch(() => {})
    }
    for (let i = 0; i < 3; i++) await work()

    tabs.step = 5
    tabs.lag = () => tabs.draw() * 15
    tabs.fate = () => {
      const luck = tabs.draw()
      return luck < 0.02 ? 'cut before' : luck < 0.04 ? 'cut after' : 'passes'
    }
    const options = { retry: { max: 50, backoff: { delay: 50, max: 400 } }, maxCrashes: 1000 }
    const adding = Array.from({ length: TASKS }, (_, n) =>
      submitter.queue.add('double', n, { ...options, id: `t${n}`, priority: n % 3 }),
    )
    for (let round = 0; round < 20; round++) {
      await tabs.pass(400)
      for (const { tab, until } of asleep) if (until < tabs.server.now) tab.thaw()
      if (tabs.draw() < 0.3) {
        const page = pages[Math.floor(tabs.draw() * pages.length)] as Office
        page.tab.freeze()
        asleep.push({ tab: page.tab, until: tabs.server.now + tabs.draw() * 8000 })
        await work()
      }
      if (tabs.draw() < 0.2) {
        // The old one may be alive and deposed, or asleep and back too late, or back before anybody noticed.
        const old = dispatchers.shift()
        if (tabs.draw() < 0.5 && old !== undefined) {
          old.tab.freeze()
          asleep.push({ tab: old.tab, until: tabs.server.now + tabs.draw() * 5000 })
        }
        dispatchers.push(await tabs.dispatch({ depose: tabs.draw() < 0.7 }, 3000))
      }
      if (tabs.draw() < 0.2) for (const { tab } of pages) tab.cut()
    }
    tabs.fate = () => 'passes'
    tabs.lag = () => 0
    tabs.step = 50
    const tasks = await tabs.until(Promise.all(adding))
    const results = await tabs.until(Promise.all(tasks.map((task) => task.result())), 120_000)
    expect(results).toEqual(Array.from({ length: TASKS }, (_, n) => n * 2))
    expect(runs).toBeGreaterThanOrEqual(TASKS)
    // Each task's record was ended by the very attempt whose effect stands: together, and once.
    const won = (await tabs.until(reader.getChildren('/won'))).children
    for (const { id } of tasks) {
      const [only, ...more] = won.filter((name) => name.startsWith(`${id}-`))
      expect(more).toEqual([])
      const { data } = await tabs.until(reader.getData(`/won/${only}`))
      const record = decodeRecord((await tabs.until(reader.getData(paths.record(id)))).data)
      expect(record.state).toBe('done')
      expect(record.by?.endsWith(`/${id}.${new TextDecoder().decode(data ?? new Uint8Array(0))}`)).toBe(true)
    }
    await tabs.pass(5000)
    const left = await tabs.until(submitter.queue.stats())
    expect(left).toMatchObject({ done: TASKS, waiting: 0, delayed: 0, running: 0, failed: 0 })
    expect(tabs.problems).toEqual([])
    expect(doubles).toEqual([])
    await tabs.close()
  },
)

/** What it gives fills with the tasks that had two leases at a time, by the order of the commits. */
async function watchLeases(client: ZnodeClient): Promise<readonly string[]> {
  const live = new Map<string, string>()
  const doubles: string[] = []
  const notices = await client.watch(paths.mailboxes, { recursive: true })
  const listen = async (): Promise<void> => {
    for await (const { type, path } of notices) {
      const place = paths.parse(path)
      if (type === 'lost') doubles.push('missed something')
      if (place.kind !== 'lease') continue
      if (type === 'NodeCreated' && live.has(place.id)) doubles.push(`${live.get(place.id)} and ${path}`)
      if (type === 'NodeCreated') live.set(place.id, path)
      if (type === 'NodeDeleted' && live.get(place.id) === path) live.delete(place.id)
    }
  }
  listen().catch(() => doubles.push('stopped listening'))
  return doubles
}
