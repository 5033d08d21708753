import { readFileSync } from 'node:fs'
import { expect, test } from './fixtures.ts'

/** The README's examples, as a reader would run them: each in a page of its own ensemble, with what it prints. */
const MARK = '<!-- runs in test/browser/readme.spec.ts -->'

function examples(file: string): string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  return text
    .split(MARK)
    .slice(1)
    .map((part) => /```js\n([\s\S]*?)```/.exec(part)?.[1] ?? '')
}

const printed: readonly (readonly string[])[] = [
  ['changed /config'],
  ['executing /tasks/task-0000000000 print hello'],
  ['hello world'],
  ['this page leads; its fencing token is 4'],
]

const found = examples('README.md')

test('every marked example was found', () => {
  expect(found).toHaveLength(printed.length)
})

for (const [i, code] of found.entries()) {
  test(`example ${i + 1} of the README does what it says`, async ({ tabs }) => {
    const [page] = await tabs(1)
    const lines = await page?.evaluate(async (source) => {
      const body = source.replace("import { Keeper } from 'tabkeeper'", 'const { Keeper } = window.tabkeeper')
      const said: string[] = []
      const run = new Function('console', `return (async () => { ${body} })()`)
      await run({ log: (...words: unknown[]) => said.push(words.join(' ')) })
      return said
    }, code)
    expect(lines?.map((line) => line.replace(/token is \d+/, 'token is 4'))).toEqual(printed[i])
  })
}
