import { TupleSet } from './interned.ts'
import { type Bounds, SmallWorld } from './small-world.ts'

export interface Searched {
  readonly states: number
  readonly transitions: number
  /** The longest way. */
  readonly deepest: number
  /** Different states of one peer, and how often the core was asked. */
  readonly locals: number
  readonly steps: number
  readonly whole: boolean
  /** What was violated first, and the way there. */
  readonly violation: { readonly error: Error; readonly trail: readonly string[] } | null
}

export interface SearchOptions {
  /** Give up at so many states. */
  readonly statesMax?: number
  /** Take states that differ only in what nobody will ever look at for one; without it the space is larger and holds nothing else. */
  readonly merged?: boolean
  /** Called with an outline of every state. */
  readonly visit?: (outline: string) => void
}

/** Depth first over every interleaving of messages, disk writes, crashes and the oracle's decisions within the bounds. */
export function exhaust(bounds: Bounds, options: SearchOptions = {}): Searched {
  const { statesMax = 2 ** 30, merged = true, visit } = options
  const world = new SmallWorld(bounds, merged)
  const { width } = world
  const seen = new TupleSet(width)
  /** The way from the beginning: each state, what may happen there, and how far that list was tried. */
  const path: { readonly row: Int32Array; actions: number[]; tried: number }[] = []
  let [transitions, deepest] = [0, 0]
  const at = (depth: number): (typeof path)[number] => {
    path[depth] ??= { row: new Int32Array(width), actions: [], tried: 0 }
    return path[depth]
  }
  const done = (depth: number, error: Error | null): Searched => ({
    states: seen.size,
    transitions,
    deepest,
    ...world.counts,
    whole: depth < 0,
    violation:
      error === null
        ? null
        : {
            error,
            trail: path
              .slice(0, depth + 1)
              .map(({ row, actions, tried }) => world.tell(row, actions[tried - 1] as number)),
          },
  })
  const start = at(0)
  world.begin(start.row)
  start.actions = world.actions(start.row)
  seen.add(start.row)
  let depth = 0
  while (depth >= 0 && seen.size < statesMax) {
    const here = at(depth)
    if (here.tried === here.actions.length) {
      depth--
      continue
    }
    const next = at(depth + 1)
    for (let i = 0; i < width; i++) next.row[i] = here.row[i] as number
    transitions++
    try {
      world.apply(next.row, here.actions[here.tried++] as number)
    } catch (error) {
      return done(depth, error as Error)
    }
    if (!seen.add(next.row)) continue
    visit?.(world.outline(next.row))
    depth++
    if (depth > deepest) deepest = depth
    next.actions = world.actions(next.row)
    next.tried = 0
  }
  return done(depth, null)
}
