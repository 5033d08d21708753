import type { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { WatchNotice } from './api.ts'

/** Notices that wait for a slow reader. One that is slower still is told `lost` and `resync` in place of them. */
const NOTICES_MAX = 4096

interface Reader {
  readonly resolve: (result: IteratorResult<WatchNotice>) => void
  readonly reject: (error: KeeperError) => void
}

/** The reading end of a persistent watch. */
export class WatchStream implements AsyncIterableIterator<WatchNotice> {
  readonly path: string
  readonly #released: () => void
  #notices: WatchNotice[] = []
  #readers: Reader[] = []
  #ended = false
  #error: KeeperError | null = null

  /** `released`: called once, when its reader has had enough or the session is over. */
  constructor(path: string, released: () => void) {
    this.path = path
    this.#released = released
  }

  push(notice: WatchNotice): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader.resolve({ done: false, value: notice })
      return
    }
    if (this.#notices.length < NOTICES_MAX) this.#notices.push(notice)
    else {
      this.#notices = []
      this.interrupted('lost', notice.zxid)
      this.interrupted('resync', notice.zxid)
    }
  }

  interrupted(type: 'lost' | 'resumed' | 'resync', zxid: Zxid): void {
    this.push({ type, path: this.path, zxid })
  }

  /** What was noticed before is still read; then comes the error, if there is one, and then the end. */
  end(error: KeeperError | null): void {
    if (this.#ended) return
    this.#ended = true
    const [first, ...others] = this.#readers
    this.#readers = []
    if (first !== undefined && error !== null) first.reject(error)
    else {
      first?.resolve({ done: true, value: undefined })
      this.#error = error
    }
    for (const reader of others) reader.resolve({ done: true, value: undefined })
    this.#released()
  }

  next(): Promise<IteratorResult<WatchNotice>> {
    const notice = this.#notices.shift()
    if (notice !== undefined) return Promise.resolve({ done: false, value: notice })
    if (this.#error !== null) {
      const error = this.#error
      this.#error = null
      return Promise.reject(error)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<WatchNotice>> {
    this.#notices = []
    this.#error = null
    this.end(null)
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
