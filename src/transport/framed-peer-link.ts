import type { LinkId, ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { DecodeError } from '../jute/reader.ts'
import type { PeerAbout } from '../zab/facts.ts'
import type { Message } from '../zab/messages.ts'
import type { ByteLink } from './byte-link.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import { type Assembler, FrameQueue } from './framing.ts'
import { decodeIntroduction, encodeIntroduction, type Introduction, isIntroduction } from './introduction.ts'
import type { Hello, IntroducingLink } from './peer-link.ts'

type OnMessages = (messages: readonly Message[]) => void
type OnClose = (reason: string, bad: boolean) => void

/**
 * A link behind its handshake. What arrives before `onmessages` is set waits for it; so does an end for `onclose`.
 * Messages of one frame are delivered together.
 */
export class FramedPeerLink implements IntroducingLink {
  readonly peer: ReplicaId
  readonly link: LinkId
  readonly about: PeerAbout
  readonly #bytes: ByteLink
  readonly #queue: FrameQueue
  readonly #assembler: Assembler
  onintroduction: ((introduction: Introduction) => void) | null = null
  #onmessages: OnMessages | null = null
  #onclose: OnClose | null = null
  /** Arrived before anybody listened. */
  #early: Message[] = []
  #end: { readonly reason: string; readonly bad: boolean } | null = null
  #sent = 0
  #received = 0
  #pumping = false

  constructor(link: ByteLink, peer: Hello, linkId: LinkId, assembler: Assembler, first: readonly Uint8Array[]) {
    this.peer = peer.replica
    this.link = linkId
    const { incarnation, browser, format } = peer
    this.about = { incarnation, browser, format, ...(peer.adopted === true ? { adopted: true } : {}) }
    this.#bytes = link
    this.#queue = new FrameQueue(link.frameBytesMax)
    this.#assembler = assembler
    link.onclose = (reason) => this.#finish(reason, false)
    link.ondrain = () => this.#pump()
    link.onframe = (frame) => this.#take(() => this.#assembler.take(frame))
    if (first.length > 0) this.#take(() => first)
  }

  get bufferedBytes(): number {
    return this.#bytes.bufferedBytes + this.#queue.bytes
  }

  get sent(): number {
    return this.#sent
  }

  get received(): number {
    return this.#received
  }

  get onmessages(): OnMessages | null {
    return this.#onmessages
  }

  set onmessages(listener: OnMessages | null) {
    this.#onmessages = listener
    if (listener === null || this.#early.length === 0) return
    const early = this.#early
    this.#early = []
    listener(early)
  }

  get onclose(): OnClose | null {
    return this.#onclose
  }

  set onclose(listener: OnClose | null) {
    this.#onclose = listener
    if (listener !== null && this.#end !== null) this.#tell(listener)
  }

  send(messages: readonly Message[]): void {
    if (this.#end !== null) return
    for (const message of messages) this.#queue.push(this.#encoded(message))
    this.#pump()
  }

  sendStream(messages: Iterable<Message>): void {
    if (this.#end !== null) return
    const encoded = (message: Message): Uint8Array => this.#encoded(message)
    this.#queue.pushStream(
      (function* () {
        for (const message of messages) yield encoded(message)
      })(),
    )
    this.#pump()
  }

  introduce(introduction: Introduction): void {
    if (this.#end !== null) return
    this.#queue.push(encodeIntroduction(introduction))
    this.#pump()
  }

  close(reason: string): void {
    this.#finish(reason, false)
  }

  #encoded(message: Message): Uint8Array {
    this.#sent++
    return encodeMessage(message)
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#end === null && this.#bytes.bufferedBytes < LIMITS.linkBufferedBytesMax) {
        const frame = this.#queue.next()
        if (frame === null) break
        this.#bytes.send(frame)
      }
    } finally {
      this.#pumping = false
    }
    if (this.#queue.bytes > LIMITS.linkQueueBytesMax) this.#finish('slow peer', false)
  }

  #take(messagesOf: () => readonly Uint8Array[]): void {
    if (this.#end !== null) return
    const messages: Message[] = []
    const introductions: Introduction[] = []
    try {
      for (const bytes of messagesOf())
        if (isIntroduction(bytes)) introductions.push(decodeIntroduction(bytes))
        else messages.push(decodeMessage(bytes))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#finish(`BadPeer: ${error.message}`, true)
      return
    }
    for (const introduction of introductions) this.onintroduction?.(introduction)
    if (messages.length === 0 || this.#end !== null) return
    this.#received += messages.length
    if (this.#onmessages === null) this.#early.push(...messages)
    else this.#onmessages(messages)
  }

  #finish(reason: string, bad: boolean): void {
    if (this.#end !== null) return
    this.#end = { reason, bad }
    this.#queue.clear()
    this.#early = []
    const link = this.#bytes
    link.onframe = null
    link.onclose = null
    link.ondrain = null
    link.close(reason)
    if (this.#onclose !== null) this.#tell(this.#onclose)
  }

  #tell(listener: OnClose): void {
    const end = this.#end
    this.#onclose = null
    if (end !== null) listener(end.reason, end.bad)
  }
}
