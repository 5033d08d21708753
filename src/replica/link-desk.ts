import { KeeperError } from '../base/errors.ts'
import type { LinkId, ReplicaId } from '../base/ids.ts'
import type { ByteLink } from '../transport/byte-link.ts'
import { dataChannelLink } from '../transport/data-channel-link.ts'
import { type LinkBinding, PROOF_BYTES } from '../transport/link-proof.ts'
import { messagePortLink, type Port } from '../transport/message-port-link.ts'
import { openPeerLink, type PeerLinkOptions } from '../transport/open-peer-link.ts'
import type { Hello, IntroducingLink } from '../transport/peer-link.ts'
import type { WorkerEvent } from './service-api.ts'

/** Hidden pages connect at one step a second: nothing shorter may count as failed. The page gives up an attempt a little later. */
const HANDSHAKE_MS = 18_000

/** Answers that a repetition soon will not change. */
const REFUSALS: ReadonlySet<string> = new Set(['UpdateNeeded', 'EnsembleMismatch', 'BadArguments', 'WrongSecret'])

/** What links are proved by, where there is a secret. */
export interface DeskSecret {
  readonly key: Uint8Array
  /** So many bytes of chance. */
  readonly entropy: (length: number) => Uint8Array
}

/** Of one connection: a channel for all that is small, and one for streams. */
export interface LinkEnds {
  readonly control: RTCDataChannel | MessagePort
  readonly bulk: RTCDataChannel | MessagePort
}

/** Where channels become links: wraps what the page hands over, shakes hands, and tells the page what became of it. */
export class LinkDesk {
  readonly #hello: Hello
  readonly #opened: (link: IntroducingLink) => void
  readonly #post: (event: WorkerEvent) => void
  /** The highest incarnation heard of each replica: a link of an earlier one is a ghost's. */
  readonly #incarnations = new Map<ReplicaId, number>()
  readonly #secret: DeskSecret | null
  /** Links whose connection is not known yet. */
  readonly #unbound = new Map<ReplicaId, { readonly attempt: number; readonly bind: (binding: LinkBinding) => void }>()
  #links = 0
  /** Greetings that were refused, by why. */
  readonly #marks = new Map<string, number>()

  constructor(
    hello: Hello,
    opened: (link: IntroducingLink) => void,
    post: (event: WorkerEvent) => void,
    secret: DeskSecret | null = null,
  ) {
    this.#secret = secret
    this.#hello = hello
    this.#opened = opened
    this.#post = post
  }

  /** Takes the ends over synchronously: what arrives on them before the next task must be heard. */
  add(peer: ReplicaId, attempt: number, { control, bulk }: LinkEnds): void {
    let shaking = true
    let ended: string | null = null
    const closed = (reason: string, refused = false) =>
      this.#post({ kind: 'linkClosed', peer, attempt, refused, reason })
    const bytes = watched(linkOf(control), (reason) => {
      ended = reason
      if (!shaking) closed(reason)
    })
    this.#links += 1
    openPeerLink(bytes, this.#hello, {
      linkId: this.#links as LinkId,
      bulk: linkOf(bulk),
      ...this.#proved(peer, attempt),
      knownIncarnation: (replica) => this.#incarnations.get(replica),
      signal: AbortSignal.timeout(HANDSHAKE_MS),
    }).then(
      (link) => {
        shaking = false
        if (ended !== null) return closed(ended)
        if (link.peer !== peer) return this.#blame(peer, link)
        this.#incarnations.set(peer, link.about.incarnation)
        this.#post({ kind: 'linkOpened', peer, attempt })
        this.#opened(link)
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        const refused = error instanceof KeeperError && REFUSALS.has(error.code)
        closed(reason, refused)
        if (error instanceof KeeperError) this.#mark(`greeting-refused-${error.code}`)
        if (!refused) return
        const named = error.code === 'EnsembleMismatch' || error.code === 'WrongSecret'
        this.#post({ kind: 'notice', code: named ? error.code : 'Incompatible', message: reason, peer })
      },
    )
  }

  /** For `inspect()`. */
  get marks(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#marks)
  }

  #mark(name: string): void {
    this.#marks.set(name, (this.#marks.get(name) ?? 0) + 1)
  }

  /** It connected as one, and greeted as another. */
  #blame(peer: ReplicaId, link: IntroducingLink): void {
    const reason = `it greeted as replica ${link.peer}`
    this.#mark('greeted-as-another')
    link.close(reason)
    this.#post({ kind: 'notice', code: 'BadPeer', message: `the link to ${peer} was closed: ${reason}`, peer })
  }

  /** The page knows now what this attempt runs over. */
  bind(peer: ReplicaId, attempt: number, binding: LinkBinding): void {
    const unbound = this.#unbound.get(peer)
    if (unbound?.attempt !== attempt) return
    this.#unbound.delete(peer)
    unbound.bind(binding)
  }

  #proved(peer: ReplicaId, attempt: number): Pick<PeerLinkOptions, 'secret'> {
    if (this.#secret === null) return {}
    const { key, entropy } = this.#secret
    const bound = new Promise<LinkBinding>((bind) => void this.#unbound.set(peer, { attempt, bind }))
    return { secret: { key, nonce: entropy(PROOF_BYTES), bound } }
  }
}

const linkOf = (end: RTCDataChannel | MessagePort): ByteLink =>
  isChannel(end) ? dataChannelLink(end) : messagePortLink(end as unknown as Port)

// Not every worker has the class by name.
const isChannel = (end: RTCDataChannel | MessagePort): end is RTCDataChannel => 'readyState' in end

/** The same link, with somebody more who learns of its end. */
function watched(link: ByteLink, closed: (reason: string) => void): ByteLink {
  let onclose: ((reason: string) => void) | null = null
  link.onclose = (reason) => {
    onclose?.(reason)
    closed(reason)
  }
  return {
    frameBytesMax: link.frameBytesMax,
    get bufferedBytes() {
      return link.bufferedBytes
    },
    send: (frame) => link.send(frame),
    close: (reason) => link.close(reason),
    get onframe() {
      return link.onframe
    },
    set onframe(listener) {
      link.onframe = listener
    },
    get onclose() {
      return onclose
    },
    set onclose(listener) {
      onclose = listener
    },
    get ondrain() {
      return link.ondrain
    },
    set ondrain(listener) {
      link.ondrain = listener
    },
  }
}
