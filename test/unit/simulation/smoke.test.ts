import { expect, test } from 'vitest'
import { live } from '../../simulation/life.ts'

const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

test.each(seeds)('seed %d: nothing is violated, and the same seed lives the same life', async (seed) => {
  const once = await live(seed)
  expect(once.failure).toBe(null)
  expect(once.committed).toBeGreaterThan(0)
  const again = await live(seed)
  expect([again.trace, again.events, again.committed]).toEqual([once.trace, once.events, once.committed])
})
