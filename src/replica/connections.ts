import { concat } from '../base/bytes.ts'
import type { ConnectionId, ConnectionInfo } from '../server/orders.ts'
import type { ClientPipe } from './api.ts'

type Heard =
  | { readonly kind: 'frame'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'connected'; readonly connection: ConnectionId; readonly info: ConnectionInfo }
  | { readonly kind: 'disconnected'; readonly connection: ConnectionId }

/** The clients' connections of one replica. Replies of one turn leave as one frame. */
export class Connections {
  readonly #hear: (heard: Heard) => void
  readonly #open = new Map<ConnectionId, { readonly pipe: ClientPipe; waiting: Uint8Array<ArrayBuffer>[] }>()
  readonly #dirty = new Set<ConnectionId>()
  #next = 1

  constructor(hear: (heard: Heard) => void) {
    this.#hear = hear
  }

  add(pipe: ClientPipe, info: ConnectionInfo): void {
    const connection = this.#next++
    this.#open.set(connection, { pipe, waiting: [] })
    this.#hear({ kind: 'connected', connection, info })
    pipe.onframe = (bytes) => this.#hear({ kind: 'frame', connection, bytes })
    pipe.onclose = () => {
      if (this.#open.delete(connection)) this.#hear({ kind: 'disconnected', connection })
    }
  }

  has(connection: ConnectionId): boolean {
    return this.#open.has(connection)
  }

  reply(connection: ConnectionId, frame: Uint8Array<ArrayBuffer>): void {
    const open = this.#open.get(connection)
    if (open === undefined) return
    open.waiting.push(frame)
    this.#dirty.add(connection)
  }

  flush(): void {
    for (const connection of this.#dirty) {
      const open = this.#open.get(connection)
      if (open === undefined || open.waiting.length === 0) continue
      const frames = open.waiting
      open.waiting = []
      open.pipe.send(frames.length === 1 ? (frames[0] as Uint8Array<ArrayBuffer>) : concat(frames))
    }
    this.#dirty.clear()
  }

  /** What was ordered for it before is still sent. */
  close(connection: ConnectionId): void {
    this.flush()
    const open = this.#open.get(connection)
    if (open === undefined) return
    this.#open.delete(connection)
    open.pipe.onclose = null
    open.pipe.close()
    this.#hear({ kind: 'disconnected', connection })
  }

  closeAll(): void {
    for (const connection of [...this.#open.keys()]) this.close(connection)
  }
}
