import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { play, titleOf } from './script.ts'

const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'))

test('there are scenarios', () => {
  expect(names.length).toBeGreaterThan(15)
})

test.each(names)('%s', async (name) => {
  const path = `${import.meta.dirname}/${name}`
  const script = readFileSync(path, 'utf8')
  expect(titleOf(script)).not.toBe('untitled')
  await expect(play(script)).toMatchFileSnapshot(path)
})
