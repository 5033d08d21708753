/** Wakes one waiting loop; a ring that nobody heard is kept, many rings are one. */
export class Doorbell {
  #rung = false
  #open: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#open?.()
  }

  /** Resolves at the next ring, or at once if it rang since the last wait. */
  async wait(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#open = resolve
      })
      this.#open = null
    }
    this.#rung = false
  }
}
