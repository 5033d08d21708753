import { readFileSync } from 'node:fs'
import { expect, test } from './fixtures.ts'

/** The examples of the guide to tasks, as a reader would run them: each in a page of its own ensemble, with what it prints. */
const MARK = '<!-- runs in test/browser/tasks-guide.spec.ts -->'

const printed: readonly (readonly string[])[] = [
  ['cat is 800 wide'],
  ['a.o+b.o', 'Timeout', 'waiting: no worker has a handler for test'],
  ['saved hello'],
  ['row 0 in attempt 0', 'row 1 in attempt 0', 'row 2 in attempt 1', 'row 3 in attempt 1'],
  ['the attempt took longer than its timeout', '49'],
  ['send failed: no such address', '3 done, 1 failed, 0 waiting'],
  ['tidied the desk', 'report adds report', 'tidy adds tidy'],
]

const found = readFileSync(new URL('../../docs/guides/tasks.md', import.meta.url), 'utf8')
  .split(MARK)
  .slice(1)
  .map((part) => /```js\n([\s\S]*?)```/.exec(part)?.[1] ?? '')

test('every marked example of the guide to tasks was found', () => {
  expect(found).toHaveLength(printed.length)
})

for (const [i, code] of found.entries()) {
  test(`example ${i + 1} of the guide to tasks does what it says`, async ({ tabs }) => {
    const [page] = await tabs(1)
    const lines = await page?.evaluate(async (source) => {
      const body = source
        .replace("import { Keeper } from 'tabkeeper'", 'const { Keeper } = window.tabkeeper')
        .replace("new URL('./jobs.js', import.meta.url)", "'/test/browser/pages/task-handlers.ts'")
      const said: string[] = []
      const run = new Function('console', `return (async () => { ${body} })()`)
      await run({ log: (...words: unknown[]) => said.push(words.join(' ')) })
      return said
    }, code)
    expect(lines).toEqual(printed[i])
  })
}
