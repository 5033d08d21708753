import type { World } from '../recipes/world.ts'

/** What the queue stands on. */
export interface TaskWorld extends World {
  /** The wall clock, milliseconds: compared with the leader's times in a Stat. The recipe clock is monotonic. */
  readonly wallTime: () => number
}
