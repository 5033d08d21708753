import { formatZxid } from '../../../src/base/zxid.ts'
import { demand, type Step } from './step.ts'
import type { Trail } from './trail.ts'
import type { ReplicaState } from './types.ts'

/** Also step 1: what a replica counts in its state (nodes, sessions, ephemerals of each) is what the log makes. None has an owner that is gone. */
export function statesStep({ history, positions }: Trail): Step {
  const byPosition = new Map<number, ReplicaState[]>()
  for (const state of history.states ?? []) {
    const position = positions.get(state.zxid)
    if (position === undefined) continue
    const there = byPosition.get(position)
    if (there === undefined) byPosition.set(position, [state])
    else there.push(state)
  }
  return {
    step: 1,
    after(position, tree) {
      for (const { replica, zxid, znodes, sessions } of byPosition.get(position) ?? []) {
        const name = `replica ${replica} at ${formatZxid(zxid)}`
        demand(znodes === tree.size, () => `${name} has ${znodes} nodes, not ${tree.size}`)
        demand(
          sessions.length === tree.sessions.size,
          () => `${name} has ${sessions.length} sessions, not ${tree.sessions.size}`,
        )
        for (const { id, ephemerals } of sessions) {
          const owned = tree.ephemeralsOf(id).length
          demand(
            tree.sessions.has(id) && ephemerals === owned,
            () => `${name} has ${ephemerals} ephemerals of session ${id}, not ${owned}`,
          )
        }
      }
    },
  }
}
