import type { Znode } from './znode.ts'

/**
 * The tree as it was at one moment, drawn later while the tree changes. Beginning one costs O(1); afterwards the first change of each node
 * that has not been drawn yet leaves its old version here.
 *
 * The tree's map keeps its nodes in the order of their serials; so what was drawn is known by one number.
 */
export class Fork {
  readonly #nodes: Iterator<Znode>
  readonly #era: number
  readonly #serialMax: number
  #drawn = -1
  #displaced: Znode[] = []
  #walked = false
  readonly #ended: (fork: Fork) => void

  /** Versions up to `era` and serials up to `serialMax` belong to it. `ended` is called once, when it needs no more care. */
  constructor(nodes: Iterator<Znode>, era: number, serialMax: number, ended: (fork: Fork) => void) {
    this.#nodes = nodes
    this.#era = era
    this.#serialMax = serialMax
    this.#ended = ended
  }

  /** A version is about to be replaced or removed. */
  displace(node: Znode): void {
    if (node.era <= this.#era && node.serial > this.#drawn && !this.#walked) this.#displaced.push(node)
  }

  /** The next node, in no order that means anything. */
  next(): Znode | null {
    while (!this.#walked) {
      const { value, done } = this.#nodes.next()
      if (done === true || value.serial > this.#serialMax) {
        this.#walked = true
        this.#ended(this)
        break
      }
      this.#drawn = value.serial
      if (value.era <= this.#era) return value
    }
    return this.#displaced.pop() ?? null
  }

  /** Nobody draws further. */
  end(): void {
    this.#walked = true
    this.#displaced = []
    this.#ended(this)
  }
}
