import { expect, type Page, test } from './fixtures.ts'
import { open } from './in-page.ts'

const TASKS = 2000
const SECONDS = 20

/** Works in the page; every run names its page, and one task in ten throws until its third attempt, or for ever. */
const work = (page: Page, name: string) =>
  page.evaluate(async (self) => {
    const queue = window.keeper.queue<{ readonly job: { readonly in: number; readonly out: string } }>('churn')
    await queue.worker(
      {
        job: async (n, context) => {
          await new Promise((resolve) => setTimeout(resolve, 30))
          if (n % 20 === 0) throw new Error('always')
          if (n % 20 === 10 && context.attempt < 2) throw new Error('at first')
          context.alsoCommit([{ op: 'create', path: `/churn/${n}`, data: self }])
          return self
        },
      },
      { slots: 4 },
    )
  }, name)

test('2,000 tasks over tabs of which one a second is crashed or opened all end as they should, each once @slow', async ({
  tabs,
  crash,
}) => {
  test.setTimeout(240_000)
  const [keepers, ...others] = (await tabs(5)) as [Page, ...Page[]]
  await open(keepers, 'churn')
  for (const page of others) await open(page, 'churn')
  await keepers.evaluate(() => window.keeper.create('/churn').then(() => undefined))
  const working = [keepers, ...others]
  for (const [i, page] of working.entries()) await work(page, `tab ${i}`)

  const outcomes = keepers.evaluate(async (count) => {
    const queue = window.keeper.queue<{ readonly job: { readonly in: number; readonly out: string } }>('churn')
    const items = Array.from({ length: count }, (_, n) => ({
      name: 'job' as const,
      input: n,
      options: { retry: { max: 3, backoff: { delay: 200, max: 500 } }, maxCrashes: 100 },
    }))
    await queue.configure({ keep: 10_000 })
    const tasks = await queue.addAll(items)
    return Promise.all(
      tasks.map((task) =>
        task.result().then(
          () => 'done',
          (error: { readonly code: string }) => error.code,
        ),
      ),
    )
  }, TASKS)

  let opened = working.length
  for (let second = 0; second < SECONDS; second++) {
    const next = new Promise((resolve) => setTimeout(resolve, 1000))
    if (working.length < 5) {
      const [page] = (await tabs(1)) as [Page]
      await open(page, 'churn')
      await work(page, `tab ${opened++}`)
      working.push(page)
    } else await crash(working.splice(1 + (second % 4), 1)[0] as Page)
    await next
  }

  const ended = await outcomes
  for (const [n, outcome] of ended.entries()) expect(outcome, `task ${n}`).toBe(n % 20 === 0 ? 'TaskFailed' : 'done')
  const makers = await keepers.evaluate(async () => {
    await window.keeper.sync('/churn')
    const { children } = await window.keeper.getChildren('/churn')
    const nodes = await Promise.all(children.map((name) => window.keeper.getData(`/churn/${name}`)))
    return nodes.map(
      ({ data, stat }) => `${new TextDecoder().decode(data ?? undefined)}${stat.version > 0 ? ' twice' : ''}`,
    )
  })
  const share = new Map<string, number>()
  for (const maker of makers) share.set(maker, (share.get(maker) ?? 0) + 1)
  console.log([...share].map(([name, count]) => `${name}: ${count}`).join(', '))
  expect(makers).toHaveLength(TASKS - TASKS / 20)
  expect(makers.filter((maker) => maker.endsWith('twice'))).toEqual([])
})
