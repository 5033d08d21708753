import type { World } from '../recipes/world.ts'

/** `frozen`: its code stops at any moment, and may never go on. */
export type PageState = 'visible' | 'hidden' | 'frozen'

/** The life of the page as the browser tells it. */
export interface PageLife {
  readonly state: PageState
  onChange(listener: () => void, options: { readonly signal: AbortSignal }): void
}

/** What the queue stands on. */
export interface TaskWorld extends World {
  /** The wall clock, milliseconds: compared with the leader's times in a Stat. The recipe clock is monotonic. */
  readonly wallTime: () => number
  /** Where there is a page. */
  readonly page?: PageLife
}
