import type { Ambushes } from './ambush.ts'
import type { Blows } from './blows.ts'
import type { Chance } from './chance.ts'
import type { Node } from './node.ts'
import type { Occurrences } from './occurrences.ts'
import type { Rates } from './swarm.ts'

/** The fault menu of a timed life. */
export function scheduleFaults(
  occurrences: Occurrences,
  rates: Rates,
  nodes: readonly Node[],
  blows: Blows,
  ambushes: Ambushes,
): void {
  const some = (chance: Chance): Node => chance.pick(nodes)
  occurrences.every('crash', rates.crash, (chance) => blows.crash(some(chance), chance))
  occurrences.every('reset', rates.reset, (chance) => blows.reset(some(chance), some(chance), chance))
  occurrences.every('cut', rates.cut, (chance) => blows.partition(chance))
  occurrences.every('freeze', rates.freeze, (chance) => blows.freeze(some(chance), chance))
  occurrences.every('stepDown', rates.stepDown, () => blows.stepDown())
  occurrences.every('ambush', rates.ambush, (chance) => ambushes.arm(chance))
}
