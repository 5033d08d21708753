import type { LinkId, ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { DecodeError } from '../jute/reader.ts'
import type { PeerAbout } from '../zab/facts.ts'
import type { Message } from '../zab/messages.ts'
import { Braid } from './braid.ts'
import type { ByteLink } from './byte-link.ts'
import { decodeMessage, encodeMessage, PEER_VERSION_MAX } from './codec.ts'
import { Assembler } from './framing.ts'
import { decodeIntroduction, encodeIntroduction, type Introduction, isIntroduction } from './introduction.ts'
import { Lanes } from './lanes.ts'
import type { Hello, IntroducingLink } from './peer-link.ts'

type OnMessages = (messages: readonly Message[]) => void
type OnClose = (reason: string, bad: boolean) => void

export interface Channels {
  readonly control: ByteLink
  /** For streams, where both sides have one. */
  readonly bulk: ByteLink | null
}

/**
 * A link behind its handshake. What arrives before `onmessages` is set waits for it; so does an end for `onclose`.
 * Messages of one frame are delivered together.
 */
export class FramedPeerLink implements IntroducingLink {
  readonly peer: ReplicaId
  readonly link: LinkId
  readonly about: PeerAbout
  readonly #control: ByteLink
  readonly #bulk: ByteLink | null
  readonly #lanes: Lanes
  onintroduction: ((introduction: Introduction) => void) | null = null
  #onmessages: OnMessages | null = null
  #onclose: OnClose | null = null
  /** Arrived before anybody listened. */
  #early: Message[] = []
  #end: { readonly reason: string; readonly bad: boolean } | null = null
  #sent = 0
  #received = 0
  #pumping = false

  /** `assembler`: that of the handshake; `first`: what came with its last word. */
  constructor(
    { control, bulk }: Channels,
    peer: Hello,
    linkId: LinkId,
    assembler: Assembler,
    first: readonly Uint8Array[],
  ) {
    this.peer = peer.replica
    this.link = linkId
    const { incarnation, browser, format, versionMax } = peer
    this.about = {
      incarnation,
      browser,
      format,
      version: Math.min(versionMax, PEER_VERSION_MAX),
      ...(peer.adopted === true ? { adopted: true } : {}),
      ...(peer.lasting === true ? { lasting: true } : {}),
      ...(peer.phone === true ? { phone: true } : {}),
    }
    this.#control = control
    this.#bulk = bulk
    this.#lanes = new Lanes(control.frameBytesMax, bulk?.frameBytesMax ?? null)
    for (const link of [control, bulk]) {
      if (link === null) continue
      link.onclose = (reason) => this.#finish(reason, false)
      link.ondrain = () => this.#pump()
    }
    const braid = bulk === null ? null : new Braid()
    const inOrder = (messages: readonly Uint8Array[]) => braid?.take('control', messages) ?? messages
    control.onframe = (frame) => this.#take(() => inOrder(assembler.take(frame)))
    if (bulk !== null) {
      const streams = new Assembler()
      bulk.onframe = (frame) => this.#take(() => braid?.take('bulk', streams.take(frame)) ?? [])
    }
    if (first.length > 0) this.#take(() => inOrder(first))
  }

  get bufferedBytes(): number {
    return this.#control.bufferedBytes + (this.#bulk?.bufferedBytes ?? 0) + this.#lanes.bytes
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
    for (const message of messages) this.#lanes.push(this.#encoded(message))
    this.#pump()
  }

  sendStream(messages: Iterable<Message>): void {
    if (this.#end !== null) return
    const encoded = (message: Message): Uint8Array => this.#encoded(message)
    this.#lanes.pushStream(
      (function* () {
        for (const message of messages) yield encoded(message)
      })(),
    )
    this.#pump()
  }

  introduce(introduction: Introduction): void {
    if (this.#end !== null) return
    this.#lanes.push(encodeIntroduction(introduction))
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
      // Again, because the end of a stream lets go what waited behind it.
      while (this.#moveBulk() || this.#moveControl());
    } finally {
      this.#pumping = false
    }
    if (this.#lanes.bytes > LIMITS.linkQueueBytesMax) this.#finish('slow peer', false)
  }

  #moveControl(): boolean {
    return this.#move(this.#control, () => this.#lanes.nextControl())
  }

  #moveBulk(): boolean {
    return this.#bulk !== null && this.#move(this.#bulk, () => this.#lanes.nextBulk())
  }

  /** As much as the channel takes. Did anything leave? */
  #move(link: ByteLink, next: () => Uint8Array | null): boolean {
    let moved = false
    while (this.#end === null && link.bufferedBytes < LIMITS.linkBufferedBytesMax) {
      const frame = next()
      if (frame === null) break
      link.send(frame)
      moved = true
    }
    return moved
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
    this.#lanes.clear()
    this.#early = []
    for (const link of [this.#control, this.#bulk]) {
      if (link === null) continue
      link.onframe = null
      link.onclose = null
      link.ondrain = null
      link.close(reason)
    }
    if (this.#onclose !== null) this.#tell(this.#onclose)
  }

  #tell(listener: OnClose): void {
    const end = this.#end
    this.#onclose = null
    if (end !== null) listener(end.reason, end.bad)
  }
}
