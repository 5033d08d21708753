import { readFileSync } from 'node:fs'
import { expect, test } from './fixtures.ts'

/** The examples of the guide to recipes, as a reader would run them: each in a page of its own ensemble, with what it prints. */
const MARK = '<!-- runs in test/browser/recipes-guide.spec.ts -->'

const printed: readonly (readonly string[])[] = [
  ['1 exclusive'],
  ['page A', 'nobody'],
  ['a', ''],
  ['asked: maintenance', 'true revoked'],
  ['2', 'true'],
  ['2', 'dark 0', '1'],
  ['round 1', 'missing 1'],
  ['dark', 'put', 'put', 'ready'],
  ['a true'],
  ['a,b,c'],
  ['desk null', 'hello'],
]

const found = readFileSync(new URL('../../docs/guides/recipes.md', import.meta.url), 'utf8')
  .split(MARK)
  .slice(1)
  .map((part) => /```js\n([\s\S]*?)```/.exec(part)?.[1] ?? '')

test('every marked example of the guide to recipes was found', () => {
  expect(found).toHaveLength(printed.length)
})

for (const [i, code] of found.entries()) {
  test(`example ${i + 1} of the guide to recipes does what it says`, async ({ tabs }) => {
    const [page] = await tabs(1)
    const lines = await page?.evaluate(async (source) => {
      const body = source.replace("import { Keeper } from 'tabkeeper'", 'const { Keeper } = window.tabkeeper')
      const said: string[] = []
      const run = new Function('console', `return (async () => { ${body} })()`)
      await run({ log: (...words: unknown[]) => said.push(words.map(String).join(' ')) })
      return said
    }, code)
    expect(lines).toEqual(printed[i])
  })
}
