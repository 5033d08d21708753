/** Ways to break the protocol on purpose. Each is applied to a copy of the sources; a harness must notice. Never shipped. */
export interface Mutant {
  readonly name: string
  readonly why: string
  readonly harness: 'walk' | 'zab' | 'tree' | 'tasks' | 'story' | 'test'
  /** The budget: so many walks or seeds. */
  readonly budget: number
  /** With `story`: the scenario that ends differently. With `test`: the file of test/unit that fails, without `.test.ts`. */
  readonly story?: string
  /** Bounds within which the exhaustive search meets it too. */
  readonly small?: readonly string[]
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[]
}
