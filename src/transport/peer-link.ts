import type { EnsembleId, LinkId, ReplicaId } from '../base/ids.ts'
import type { PeerAbout } from '../zab/facts.ts'
import type { Message } from '../zab/messages.ts'
import type { Introduction } from './introduction.ts'

/** What each side says first. A link whose two hellos do not fit is refused on both sides, with a reason. */
export interface Hello {
  readonly ensemble: EnsembleId
  readonly replica: ReplicaId
  readonly incarnation: number
  /** Peer-protocol versions spoken, both inclusive. No overlap: `incompatible`. */
  readonly versionMin: number
  readonly versionMax: number
  /** The highest log format known. */
  readonly format: number
  /** One browser profile = one failure domain. */
  readonly browser: string
  /** Which build speaks, for people. */
  readonly build: string
  /** This replica runs in another tab's worker, in place of a dead one. */
  readonly adopted?: boolean
  /** It takes streams over a channel of their own. */
  readonly bulk?: boolean
  /** Runs on a server, not in a page. */
  readonly lasting?: boolean
  /** Its page runs on a phone, which stops pages to save its battery. */
  readonly phone?: boolean
}

/** A link after its handshake: whole messages, decoded strictly, in order. What cannot be decoded closes the link (`BadPeer`). */
export interface PeerLink {
  readonly peer: ReplicaId
  readonly link: LinkId
  readonly about: PeerAbout
  readonly bufferedBytes: number
  /** Messages so far. */
  readonly sent: number
  readonly received: number
  /** Those of one call share frames. Never blocks, never throws; over LIMITS.linkQueueBytesMax the link closes. */
  send(messages: readonly Message[]): void
  /** Drawn one by one as the link drains; what is sent later waits behind it, but for heartbeats. */
  sendStream(messages: Iterable<Message>): void
  close(reason: string): void
  onmessages: ((messages: readonly Message[]) => void) | null
  /** Called once. `bad`: the peer sent what it may not. */
  onclose: ((reason: string, bad: boolean) => void) | null
}

/** One that also carries what members pass on for each other. */
export interface IntroducingLink extends PeerLink {
  /** As `send`. */
  introduce(introduction: Introduction): void
  /** Without a listener they are dropped. */
  onintroduction: ((introduction: Introduction) => void) | null
}
