import { Chance } from './chance.ts'
import type { World } from './world.ts'

/**
 * Faults by name and number (`crash#3`). When one happens and what it does comes from a stream of its own, so that one left out does not
 * change the others: a failing life is shrunk by leaving out.
 */
export class Occurrences {
  readonly #world: World
  readonly #only: ReadonlySet<string> | null
  readonly #over: () => boolean
  /** In order. */
  readonly happened: string[] = []

  /** `only`: these and no others. */
  constructor(world: World, only: ReadonlySet<string> | null, over: () => boolean) {
    this.#world = world
    this.#only = only
    this.#over = over
  }

  /** So many times a second. */
  every(name: string, perSecond: number, what: (chance: Chance) => void): void {
    if (perSecond === 0) return
    const times = this.#world.chance(`times ${name}`)
    let number = 0
    const wait = (): void =>
      this.#world.after(1 + times.exp(1000 / perSecond), null, () => {
        if (this.#over()) return
        const id = `${name}#${++number}`
        if (this.#only === null || this.#only.has(id)) {
          this.happened.push(id)
          what(new Chance(this.#world.seed, id))
        }
        wait()
      })
    wait()
  }
}
