import { h } from './dom.ts'

const KEPT = 7

/** Says what just happened, in a line of plain words, newest first. */
export class Narrator {
  readonly #now: HTMLElement
  readonly #log: HTMLElement

  constructor(now: HTMLElement, log: HTMLElement) {
    this.#now = now
    this.#log = log
  }

  say(words: string): void {
    if (this.#now.textContent === words) return
    this.#now.textContent = words
    const time = new Date().toLocaleTimeString([], { hour12: false })
    this.#log.prepend(h('li', {}, h('time', {}, time), h('span', {}, words)))
    while (this.#log.children.length > KEPT) this.#log.lastElementChild?.remove()
  }
}
