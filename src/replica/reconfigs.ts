import { KeeperError } from '../base/errors.ts'

/** Configuration changes that somebody waits for. */
export class Reconfigs {
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: KeeperError) => void }>()
  #tag = 0

  /** `ask` is called with the tag that the answer will carry. */
  wait(ask: (tag: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const tag = ++this.#tag
      this.#waiting.set(tag, { resolve, reject })
      ask(tag)
    })
  }

  answered(tag: number, error: string | null): void {
    const waiting = this.#waiting.get(tag)
    this.#waiting.delete(tag)
    if (error === null) waiting?.resolve()
    else if (error === 'NotLeading') {
      waiting?.reject(new KeeperError('ConnectionLoss', 'this replica does not lead', { outcome: 'not-applied' }))
    } else waiting?.reject(new KeeperError(error as 'NewConfigNoQuorum', `reconfig: ${error}`))
  }

  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new KeeperError('Closed', 'this replica has ended'))
    this.#waiting.clear()
  }
}
