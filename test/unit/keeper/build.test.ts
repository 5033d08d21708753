import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BUILD } from '../../../src/base/build.ts'

it('is named after the package', () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  expect(BUILD).toBe(`${name} ${version}`)
})
