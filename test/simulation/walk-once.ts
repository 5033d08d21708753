import { Chance } from './chance.ts'
import { Walk } from './walk.ts'

export interface WalkReport {
  readonly seed: number
  readonly steps: number
  readonly committed: number
  readonly marks: ReadonlyMap<string, number>
  readonly failure: string | null
  readonly trail: readonly string[]
  readonly actions: readonly number[]
}

/** One walk; its shape is drawn from the seed. */
export function walkOnce(seed: number, only?: ReadonlySet<number>): WalkReport {
  const shape = new Chance(seed, 'shape')
  const steps = shape.pick([150, 400, 400, 1500])
  const walk = new Walk(seed, {
    voters: shape.pick([1, 2, 3, 3, 3, 4, 5]),
    observers: shape.pick([0, 0, 1, 2, 3]),
    room: shape.pick([1, 1, 2, 8]),
    steps,
  })
  let failure: string | null = null
  try {
    walk.run(steps, only)
  } catch (error) {
    failure =
      (error as Error)?.name === 'Violation' ? (error as Error).message : String((error as Error)?.stack ?? error)
  }
  return {
    seed,
    steps,
    committed: walk.committed,
    marks: walk.marks,
    failure,
    trail: walk.trail,
    actions: walk.actions,
  }
}
