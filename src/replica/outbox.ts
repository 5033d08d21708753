import type { LinkId } from '../base/ids.ts'
import type { PeerLink } from '../transport/peer-link.ts'
import type { Message } from '../zab/messages.ts'

/** What leaves for the peers: everything for one link in one turn leaves as one batch, in order. */
export class Outbox {
  readonly #links = new Map<LinkId, { readonly link: PeerLink; waiting: Message[] }>()

  get size(): number {
    return this.#links.size
  }

  links(): PeerLink[] {
    return [...this.#links.values()].map(({ link }) => link)
  }

  add(link: PeerLink): void {
    this.#links.set(link.link, { link, waiting: [] })
  }

  remove(link: PeerLink): void {
    this.#links.delete(link.link)
  }

  send(to: LinkId, message: Message): void {
    this.#links.get(to)?.waiting.push(message)
  }

  /** The tree as it stands now, drawn as the link drains; what is sent later waits behind it. */
  sendSnapshot(to: LinkId, nonce: number, chunks: Iterable<Uint8Array>): void {
    const out = this.#links.get(to)
    if (out === undefined) return
    this.#flush(out)
    out.link.sendStream(snapshotMessages(nonce, chunks))
  }

  flush(): void {
    for (const out of this.#links.values()) this.#flush(out)
  }

  #flush(out: { readonly link: PeerLink; waiting: Message[] }): void {
    if (out.waiting.length === 0) return
    const messages = out.waiting
    out.waiting = []
    out.link.send(messages)
  }

  close(id: LinkId, reason: string): void {
    const out = this.#links.get(id)
    if (out === undefined) return
    this.#flush(out)
    this.#links.delete(id)
    out.link.close(reason)
  }

  closeAll(reason: string): void {
    for (const id of [...this.#links.keys()]) this.close(id, reason)
  }
}

function* snapshotMessages(nonce: number, chunks: Iterable<Uint8Array>): Generator<Message> {
  let held: Uint8Array | null = null
  for (const chunk of chunks) {
    if (held !== null) yield { kind: 'snapshotChunk', nonce, last: false, bytes: held }
    held = chunk
  }
  yield { kind: 'snapshotChunk', nonce, last: true, bytes: held ?? new Uint8Array(0) }
}
