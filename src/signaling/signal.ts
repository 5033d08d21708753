import type { EnsembleId, ReplicaId } from '../base/ids.ts'

/** What one end of a WebRTC connection tells the other while they connect: session descriptions and candidates. */
export type Negotiation =
  | { readonly type: 'offer' | 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: Candidate }

export interface Candidate {
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
}

/** Who speaks: every signal names its ensemble, its sender and the sender's incarnation. */
export interface SignalHead {
  readonly ensemble: EnsembleId
  readonly from: ReplicaId
  readonly incarnation: number
}

/** A member's part: it leads, it votes, or it does neither. */
export type Stands = 'leads' | 'votes' | 'observes'

/** What pages of one topic say to each other. Plain data: it survives structured clone and JSON. */
export type Signal = SignalHead &
  /** I am a member, to everybody; who has no link to me may answer `here`. Sent only while the sender holds its lock. */
  (
    | { readonly kind: 'announce'; readonly stands?: Stands }
    /** So am I. `call`: I need a link to you, and of us two you are the one who dials. */
    | { readonly kind: 'here'; readonly to: ReplicaId; readonly stands?: Stands; readonly call?: true }
    /** Who is here? From a page that is no member yet: `from` is drawn for the question, the ensemble is NO_ENSEMBLE. */
    | { readonly kind: 'seek' }
    /** I serve clients, and have no place for another one. To a page that is none. */
    | { readonly kind: 'full'; readonly to: ReplicaId }
    /** One step of the dialer's attempt; signals of other attempts are ignored. */
    | { readonly kind: 'signal'; readonly to: ReplicaId; readonly attempt: number; readonly data: Negotiation }
    /** I am gone: this incarnation never speaks again. */
    | { readonly kind: 'bye' }
    /** A page's session (16 hexadecimal digits) began, or ended with its page. */
    | { readonly kind: 'sessionOpened' | 'sessionEnded'; readonly session: string }
    /** Please hand over, if you lead. */
    | { readonly kind: 'stepDown'; readonly to: ReplicaId }
  )

/** What can be sealed in advance. */
export type Goodbye = SignalHead &
  ({ readonly kind: 'bye' } | { readonly kind: 'sessionEnded'; readonly session: string })

/** Said by whoever is in none yet. */
export const NO_ENSEMBLE = '0'.repeat(32) as EnsembleId

/** A signal that only those who know the secret can read or make. */
export interface SealedSignal {
  readonly kind: 'sealed'
  readonly from: ReplicaId
  /** Null: everybody. */
  readonly to: ReplicaId | null
  /** Base64: a nonce of 12 bytes, and what AES-GCM made. */
  readonly box: string
}

/** Heard by whoever knows the ensemble's name: so that pages with different secrets learn of it. */
export interface Knock {
  readonly kind: 'knock'
  readonly from: ReplicaId
  /** 32 hexadecimal digits, derived from the secret; zeros for none. */
  readonly tag: string
}

/** What a Signaling carries. */
export type Envelope = Signal | SealedSignal | Knock
