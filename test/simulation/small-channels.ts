/** Queues of message numbers, each queue a number itself; 0 is the empty one. */
export class Channels {
  readonly #heads = [-1]
  readonly #tails = [0]
  readonly #queues: (readonly number[])[] = [[]]
  readonly #ids = new Map<string, number>([['', 0]])
  readonly #pushed = new Map<number, number>()

  head(queue: number): number {
    return this.#heads[queue] as number
  }

  tail(queue: number): number {
    return this.#tails[queue] as number
  }

  messages(queue: number): readonly number[] {
    return this.#queues[queue] as readonly number[]
  }

  push(queue: number, message: number): number {
    const key = queue * 2 ** 24 + message
    let next = this.#pushed.get(key)
    if (next === undefined) {
      next = this.#idOf([...(this.#queues[queue] as readonly number[]), message])
      this.#pushed.set(key, next)
    }
    return next
  }

  #idOf(messages: readonly number[]): number {
    const key = messages.join()
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const tail = this.#idOf(messages.slice(1))
    const id = this.#queues.length
    this.#queues.push(messages)
    this.#heads.push(messages[0] as number)
    this.#tails.push(tail)
    this.#ids.set(key, id)
    return id
  }
}
