import { expect, it } from 'vitest'
import { live } from '../../simulation/life.ts'

/** A checker that is shown nothing is content. */
it('lives with clients give the checker of histories something of everything to judge', async () => {
  const seen = new Map<string, number>()
  for (let seed = 1; seed <= 12; seed++) {
    const { failure, marks } = await live(seed, { profile: 'tree' })
    expect(failure).toBe(null)
    for (const [name, count] of marks) seen.set(name, (seen.get(name) ?? 0) + count)
  }
  const kinds = [
    'create',
    'count',
    'list',
    'sync',
    'ephemeral',
    'node',
    'look',
    'watch',
    'unwatch',
    'burst',
    'multi',
    'many',
  ]
  for (const kind of [...kinds, 'event', 'moved', 'abandoned', 'sessions'])
    expect([kind, seen.get(`client-${kind}`) ?? 0]).toEqual([kind, expect.toSatisfy((count) => count > 0)])
  expect(seen.get('client-recorded')).toBeGreaterThan(2000)
})
