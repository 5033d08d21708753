/** What was checked. A check that throws has failed; the others go on. */
export class Report {
  readonly #suite: string
  #passed = 0
  readonly #failed: string[] = []

  /** `suite`: the command whose checks these are. */
  constructor(suite: string) {
    this.#suite = suite
  }

  async check(name: string, run: () => Promise<void>): Promise<void> {
    const start = performance.now()
    try {
      await run()
      this.#passed++
      console.log(`passed  ${name} (${Math.round(performance.now() - start)} ms)`)
    } catch (error) {
      this.#failed.push(name)
      console.log(`FAILED  ${name}\n${error instanceof Error ? (error.stack ?? error.message) : error}`)
    }
  }

  /** The exit code. */
  sum(): number {
    const failed = this.#failed.length === 0 ? '' : `; failed: ${this.#failed.join(', ')}`
    console.log(`\n${this.#suite}: ${this.#passed} of ${this.#passed + this.#failed.length} checks passed${failed}`)
    return this.#failed.length === 0 ? 0 : 1
  }
}
