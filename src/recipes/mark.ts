import type { Zxid } from '../base/zxid.ts'
import type { Op, ZnodeClient } from '../client/api.ts'
import { dataOrNull } from './node-change.ts'
import { ensureNode } from './parents.ts'
import { hasCode, settle, untilAnswered } from './retry.ts'
import { Turns } from './turns.ts'
import { nonce, type World } from './world.ts'

const MARKS_ROOT = '/tk/marks'

/** Marks that nobody uses now, by session: never more than were in use at once, however many objects a page makes. */
const idle = new WeakMap<ZnodeClient, Mark[]>()

/**
 * Writes that are applied once, whatever happens to their replies: each is one `multi` with a mark of ours, an ephemeral node
 * that counts them, so that after a lost reply the mark tells whether it was applied. (A retried compare-and-set cannot tell its
 * own success from another's: Curator's DistributedAtomicLong adds twice.)
 */
export class Marked {
  readonly #world: World
  readonly #turns = new Turns()

  constructor(world: World) {
    this.#world = world
  }

  /**
   * All of them or none, once. Resolves with the zxid of the txn. Rejects as `multi` does, with one more result before the others, and never with
   * ConnectionLoss; when the session is over (SessionExpired, Closed) or the signal aborts, it stays unknown. Calls are carried out one after the
   * other.
   */
  commit(ops: readonly Op[], signal?: AbortSignal): Promise<Zxid> {
    return this.#turns.take(async () => {
      const { client, random } = this.#world
      const marks = idle.get(client) ?? []
      idle.set(client, marks)
      const mark = marks.pop() ?? new Mark(client, `${MARKS_ROOT}/${nonce(random)}`)
      try {
        return await mark.commit(ops, signal)
      } finally {
        marks.push(mark)
      }
    }, signal)
  }
}

class Mark {
  readonly #client: ZnodeClient
  readonly #path: string
  #serial = 0
  /** Not made yet; made; or nobody knows. */
  #made: boolean | null = false

  constructor(client: ZnodeClient, path: string) {
    this.#client = client
    this.#path = path
  }

  async commit(ops: readonly Op[], signal?: AbortSignal): Promise<Zxid> {
    const serial = String(++this.#serial)
    for (;;) {
      if (this.#made === null) {
        await settle(this.#client, this.#path, signal)
        const mark = await this.#read(signal)
        this.#made = mark !== null
        if (mark?.serial === serial) return mark.zxid
      }
      const made = this.#made
      const mark: Op = made
        ? { op: 'setData', path: this.#path, data: serial }
        : { op: 'create', path: this.#path, data: serial, mode: 'ephemeral' }
      // Until the reply is there nobody knows, also if the wait is aborted.
      this.#made = null
      try {
        const [first] = await this.#client.multi([mark, ...ops], signal === undefined ? {} : { signal })
        this.#made = true
        if (first?.op === 'setData') return first.stat.mzxid
        return (await this.#read(signal))?.zxid ?? this.#client.lastZxid
      } catch (error) {
        if (hasCode(error, 'ConnectionLoss')) continue
        if (!hasCode(error, 'Aborted')) this.#made = made
        if (!hasCode(error, 'NoNode') || error.results?.[0] !== 'NoNode') throw error
        // The mark is refused, not what it marks: somebody has removed it, or there is no place for it yet.
        this.#made = false
        await ensureNode(this.#client, MARKS_ROOT, 'container', signal)
      }
    }
  }

  async #read(signal?: AbortSignal): Promise<{ readonly serial: string; readonly zxid: Zxid } | null> {
    const node = await untilAnswered(this.#client, (call) => dataOrNull(this.#client, this.#path, call), signal)
    return node && { serial: new TextDecoder().decode(node.data ?? undefined), zxid: node.stat.mzxid }
  }
}
