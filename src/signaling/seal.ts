import { concat, fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import type { ReplicaId } from '../base/ids.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { BOX_LENGTH_MAX, parseSignal } from './parse-signal.ts'
import { Seen } from './seen.ts'
import type { SealedSignal, Signal } from './signal.ts'

export interface SealParts {
  readonly key: CryptoKey
  readonly topic: string
  readonly self: ReplicaId
  readonly subtle: SubtleCrypto
  /** Fills it with chance. */
  readonly random: (into: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
}

export type Opened =
  | { readonly kind: 'signal'; readonly signal: Signal }
  /** For somebody else, or to an earlier life of ours. */
  | { readonly kind: 'notOurs' }
  /** It came before. */
  | { readonly kind: 'replayed' }
  /** Not made by anybody who knows the secret, or not for this place. */
  | { readonly kind: 'forged' }

/** What stays true for ever once it is: hearing it twice is no harm, so it can be sealed long before it is sent. */
const LASTING: ReadonlySet<string> = new Set(['bye', 'sessionEnded'] satisfies Signal['kind'][])

const NONCE_BYTES = 12
const PEERS_MAX = 4096

interface PeerLife {
  readonly incarnation: number
  readonly life: string
  readonly seen: Seen
}

/**
 * Seals and opens signals (AES-256-GCM, fresh nonces). The seal binds topic, sender and receiver. Inside is the sender's *life*,
 * drawn by chance for this page; the number of the signal in that life, so that nothing counts twice; and the life of the
 * receiver, if it is for one, so that nothing said to an earlier page of a replica counts for a later one.
 */
export class Seal {
  readonly #parts: SealParts
  readonly #life: string
  readonly #peers = new Map<ReplicaId, PeerLife>()
  #count = 0

  constructor(parts: SealParts) {
    this.#parts = parts
    this.#life = toHex(parts.random(new Uint8Array(16)))
  }

  /** Null: nothing has been heard of the receiver yet, so nothing can be said that only this life of it takes. */
  async seal(signal: Signal): Promise<SealedSignal | null> {
    const { key, self: from, subtle, random } = this.#parts
    const to = 'to' in signal ? signal.to : null
    const toLife = to === null ? null : this.#peers.get(to)?.life
    if (toLife === undefined) return null
    const n = LASTING.has(signal.kind) ? 0 : ++this.#count
    const nonce = random(new Uint8Array(NONCE_BYTES))
    const text = utf8(JSON.stringify({ life: this.#life, toLife, n, signal }))
    const terms = { name: 'AES-GCM', iv: nonce, additionalData: this.#bound(from, to) }
    const sealed = new Uint8Array(await subtle.encrypt(terms, key, text))
    return { kind: 'sealed', from, to, box: toBase64(concat([nonce, sealed])) }
  }

  async open({ from, to, box }: SealedSignal): Promise<Opened> {
    const { key, self, subtle } = this.#parts
    if (from === self || (to !== null && to !== self)) return { kind: 'notOurs' }
    const bytes = box.length > BOX_LENGTH_MAX ? null : fromBase64(box)
    if (bytes === null || bytes.length <= NONCE_BYTES) return { kind: 'forged' }
    const terms = { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES), additionalData: this.#bound(from, to) }
    let value: unknown
    try {
      value = JSON.parse(fromUtf8(new Uint8Array(await subtle.decrypt(terms, key, bytes.subarray(NONCE_BYTES)))))
    } catch {
      return { kind: 'forged' }
    }
    return this.#check(value, from, to)
  }

  /** What it says was said by a member; members of other versions may say what we do not understand. */
  #check(value: unknown, from: ReplicaId, to: ReplicaId | null): Opened {
    const inside = inner(value)
    const signal = parseSignal(inside?.signal)
    if (inside === null || signal === null || signal.from !== from) return { kind: 'forged' }
    if (('to' in signal ? signal.to : null) !== to || (inside.n === 0) !== LASTING.has(signal.kind))
      return { kind: 'forged' }
    if (to !== null && inside.toLife !== this.#life) return { kind: 'notOurs' }
    const known = this.#peers.get(from)
    if (known !== undefined && signal.incarnation < known.incarnation) return { kind: 'replayed' }
    const peer =
      known?.life === inside.life ? known : { incarnation: signal.incarnation, life: inside.life, seen: new Seen() }
    if (inside.n > 0 && !peer.seen.isNew(inside.n)) return { kind: 'replayed' }
    // The one that was heard last is forgotten last.
    this.#peers.delete(from)
    this.#peers.set(from, peer)
    const oldest = this.#peers.keys().next()
    if (this.#peers.size > PEERS_MAX && !oldest.done) this.#peers.delete(oldest.value)
    return { kind: 'signal', signal }
  }

  #bound(from: ReplicaId, to: ReplicaId | null): Uint8Array<ArrayBuffer> {
    return utf8(`tabkeeper signal 1\n${this.#parts.topic}\n${from}\n${to ?? '*'}`)
  }
}

interface Inner {
  readonly life: string
  readonly n: number
  readonly toLife: unknown
  readonly signal: unknown
}

function inner(value: unknown): Inner | null {
  if (typeof value !== 'object' || value === null) return null
  const { life, n, toLife, signal } = value as { readonly [field in keyof Inner]?: unknown }
  if (typeof life !== 'string' || !/^[0-9a-f]{32}$/.test(life)) return null
  if (typeof n !== 'number' || !Number.isInteger(n) || n < 0 || n > 0xffffffff) return null
  return { life, n, toLife, signal }
}
