import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MUTANTS } from '../../simulation/mutants.ts'
import { anyWhiteSpace } from '../../simulation/mutate.ts'

it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('the mutant %s fits the sources', (_, { edits }) => {
  for (const { file, find } of edits) {
    const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
    expect([find, text.match(anyWhiteSpace(find))?.length]).toEqual([find, 1])
  }
})
