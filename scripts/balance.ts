// npx tsx scripts/balance.ts: how long 2,000 tasks take on 8 workers of 2 slots, by who assigns them.
import { makespans } from '../test/unit/tasks/makespan.ts'

for (const load of ['uniform', 'skewed', 'heterogeneous'] as const) {
  const { ideal, ours, random, turns } = makespans(load)
  const text = (ms: number): string => `${Math.round(ms)} ms (${(ms / ideal).toFixed(2)} of the ideal)`
  console.log(`${load}: dispatcher ${text(ours)}, random ${text(random)}, round robin ${text(turns)}`)
}
