import { expect, test } from 'vitest'
import { exhaust, type SearchOptions } from '../../simulation/exhaustive.ts'
import type { Bounds } from '../../simulation/small-world.ts'

const BOUNDS: Bounds = { peers: 3, transactions: 1, crashes: 0, leads: 2, follows: 4, stepDowns: 0, resets: 0 }

function outlines(bounds: Bounds, options: SearchOptions): { readonly states: number; readonly seen: Set<string> } {
  const seen = new Set<string>()
  const { states, whole } = exhaust(bounds, { ...options, visit: (outline) => seen.add(outline) })
  expect(whole).toBe(true)
  return { states, seen }
}

test.each([
  ['two would-be leaders', BOUNDS],
  ['a crash in one term', { ...BOUNDS, crashes: 1, leads: 1, follows: 2, transactions: 0 }],
  ['somebody gives up', { ...BOUNDS, stepDowns: 1, leads: 1, follows: 2, transactions: 0 }],
  ['a link breaks', { ...BOUNDS, resets: 1, leads: 1, follows: 2, transactions: 0 }],
])('%s: merging states that nothing can tell apart hides none', (_, bounds) => {
  const merged = outlines(bounds, { merged: true })
  const plain = outlines(bounds, { merged: false })
  expect([...merged.seen].sort()).toEqual([...plain.seen].sort())
  expect(merged.states).toBeLessThan(plain.states)
})
