import type { Zxid } from '../base/zxid.ts'
import type { Op } from '../client/api.ts'
import { dataOrNull } from './node-change.ts'
import { ensureNode } from './parents.ts'
import { hasCode, settle, untilConnected } from './retry.ts'
import { nonce, type World } from './world.ts'

const MARKS_ROOT = '/tk/marks'

/**
 * Writes that are applied once, whatever happens to their replies: each is one `multi` with a mark of ours, an ephemeral node
 * that counts them, so that after a lost reply the mark tells whether it was applied. (A retried compare-and-set cannot tell its
 * own success from another's: Curator's DistributedAtomicLong adds twice.)
 */
export class Marked {
  readonly #world: World
  readonly #path: string
  #serial = 0
  /** Not made yet; made; or nobody knows. */
  #made: boolean | null = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(world: World) {
    this.#world = world
    this.#path = `${MARKS_ROOT}/${nonce(world.random)}`
  }

  /**
   * All of them or none, once. Resolves with the zxid of the txn. Rejects as `multi` does, never with ConnectionLoss; when the session is
   * over (SessionExpired, Closed) it stays unknown. Calls are carried out one after the other.
   */
  commit(ops: readonly Op[], signal?: AbortSignal): Promise<Zxid> {
    const done = this.#turn.then(() => this.#commit(ops, signal))
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #commit(ops: readonly Op[], signal?: AbortSignal): Promise<Zxid> {
    const { client } = this.#world
    const serial = String(++this.#serial)
    for (;;) {
      if (this.#made === null) {
        await settle(client, this.#path, signal)
        const mark = await this.#read()
        this.#made = mark !== null
        if (mark?.serial === serial) return mark.zxid
      }
      const mark: Op = this.#made
        ? { op: 'setData', path: this.#path, data: serial }
        : { op: 'create', path: this.#path, data: serial, mode: 'ephemeral' }
      try {
        const [first] = await client.multi([mark, ...ops])
        const made = this.#made
        this.#made = true
        if (made && first?.op === 'setData') return first.stat.mzxid
        return (await this.#read())?.zxid ?? client.lastZxid
      } catch (error) {
        if (hasCode(error, 'ConnectionLoss')) {
          this.#made = null
          await untilConnected(client, signal)
        } else if (!this.#made && hasCode(error, 'NoNode') && error.results?.[0] === 'NoNode') {
          await ensureNode(client, MARKS_ROOT, 'container')
        } else throw error
      }
    }
  }

  async #read(): Promise<{ readonly serial: string; readonly zxid: Zxid } | null> {
    const { client } = this.#world
    for (;;) {
      try {
        const node = await dataOrNull(client, this.#path)
        return node && { serial: new TextDecoder().decode(node.data ?? undefined), zxid: node.stat.mzxid }
      } catch (error) {
        if (!hasCode(error, 'ConnectionLoss')) throw error
        await untilConnected(client)
      }
    }
  }
}
