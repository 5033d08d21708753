import { KeeperError } from '../../src/base/errors.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import type { WatchNotice } from '../../src/client/api.ts'
import { decodeTxn } from '../../src/jute/txns.ts'
import type { Applied } from '../../src/tree/apply.ts'
import { State } from '../../src/tree/state.ts'
import { Violation } from './violation.ts'

interface Happened {
  readonly zxid: Zxid
  readonly what: string
}

const told = (type: string, path: string, zxid: Zxid): Happened => ({ zxid, what: `${type} ${path} at ${zxid}` })

/** What is committed, applied once more by somebody who never fails: what happened, and that no numbered request was done twice. */
export class Truth {
  readonly #state = State.fresh()
  readonly #done = new Map<string, Zxid>()
  /** What a recursive watch of the root must tell. */
  readonly #happened: Happened[] = []
  /** Requests that were asked again under their number. */
  again = 0

  /** Each replica's entries, in its order; those that are known do not count. */
  txn(zxid: Zxid, bytes: Uint8Array): void {
    if (zxid <= this.#state.applied) return
    const txn = decodeTxn(bytes)
    if (txn.body.kind === 'again') this.again++
    else if (txn.seen !== null) {
      const request = `${txn.session} ${txn.cxid}`
      const before = this.#done.get(request)
      if (before !== undefined) throw new Violation('C7', `request ${request} is done at ${before} and at ${zxid}`)
      this.#done.set(request, zxid)
    }
    this.#note(zxid, this.#state.apply(zxid, txn))
  }

  config(zxid: Zxid, text: string): void {
    if (zxid > this.#state.applied) this.#note(zxid, this.#state.applyConfig(zxid, text))
  }

  /** Behind `after`, up to `upTo`. */
  between(after: Zxid, upTo: Zxid): string[] {
    return this.#happened.filter(({ zxid }) => zxid > after && zxid <= upTo).map(({ what }) => what)
  }

  #note(zxid: Zxid, { changes }: Applied): void {
    for (const { type, path } of changes) {
      if (type !== 'NodeChildrenChanged') this.#happened.push(told(type, path, zxid))
    }
  }
}

/** A recursive watch of the root, and what it told. */
export class Witness {
  readonly #heard: Happened[] = []
  #from: Zxid
  #lost = false

  /** The watch stands since `from`. */
  constructor(notices: AsyncIterable<WatchNotice>, from: Zxid) {
    this.#from = from
    void this.#listen(notices)
  }

  /** All changes up to the last reply that its client has read came before that reply: each once, in order. */
  check(truth: Truth, upTo: Zxid): void {
    if (this.#lost) {
      // From this reply on it must tell everything again.
      this.#from = upTo
      this.#lost = false
      return
    }
    const heard = this.#heard.filter(({ zxid }) => zxid > this.#from && zxid <= upTo).map(({ what }) => what)
    const happened = truth.between(this.#from, upTo)
    const at = happened.findIndex((what, index) => heard[index] !== what)
    if (at === -1 && heard.length === happened.length) return
    const where = at === -1 ? happened.length : at
    throw new Violation('C8', `a watch since ${this.#from} told ${heard[where]}, and ${happened[where]} happened`)
  }

  async #listen(notices: AsyncIterable<WatchNotice>): Promise<void> {
    try {
      for await (const { type, path, zxid } of notices) {
        if (type === 'lost' || type === 'resumed') continue
        if (type === 'resync') this.#lost = true
        else this.#heard.push(told(type, path, zxid))
      }
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
    }
  }
}
