import type { Client } from '../../src/client/client.ts'
import { nodeClock } from '../../src/node/node-platform.ts'
import type { TaskWorld } from '../../src/tasks/task-world.ts'

export interface Jobs {
  readonly job: { readonly in: number; readonly out: number }
}

export const QUEUE = 'load'
/** What a run commits with its result: a second completion would show as a second node. */
export const WON = '/won'

/** Of ten tasks one fails whenever it runs, and one when it runs first. */
export const outcomeOf = (n: number): 'done' | 'fails' | 'fails at first' => {
  if (n % 10 === 3) return 'fails'
  return n % 10 === 7 ? 'fails at first' : 'done'
}

export const taskWorld = (client: Client): TaskWorld => ({
  client,
  clock: nodeClock,
  random: (into) => crypto.getRandomValues(into),
  wallTime: () => Date.now(),
})
