import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, equalBytes, utf8 } from '../base/bytes.ts'

export const PROOF_BYTES = 32

/** The connection under a link, as its page knows it: where the proofs would fit no other one. */
export interface LinkBinding {
  /** Did this side dial? */
  readonly dialed: boolean
  /** The DTLS fingerprints of both ends. */
  readonly mine: string
  readonly theirs: string
}

/** What an end of a link proves, and wants to see proved. */
export interface LinkSecret {
  readonly key: Uint8Array
  /** Drawn by chance for this link: PROOF_BYTES of them. */
  readonly nonce: Uint8Array
  /** Known once both sides have described themselves. */
  readonly bound: Promise<LinkBinding>
}

/**
 * HMAC-SHA-256 of the shared key over who speaks (the dialer or the other), both fingerprints and both nonces. So a proof is of use
 * on no other connection, in no other role, and at no other time. `by`: does this side make it, or the peer?
 */
export function linkProof(
  key: Uint8Array,
  by: 'us' | 'them',
  binding: LinkBinding,
  nonces: { readonly mine: Uint8Array; readonly theirs: Uint8Array },
): Uint8Array {
  const { dialed, mine, theirs } = binding
  const byDialer = (by === 'us') === dialed
  const [dialer, other] = dialed ? [mine, theirs] : [theirs, mine]
  const [first, second] = dialed ? [nonces.mine, nonces.theirs] : [nonces.theirs, nonces.mine]
  const text = `tabkeeper link 1\n${byDialer ? 'dialer' : 'other'}\n${dialer}\n${other}\n`
  return hmac(sha256, key, concat([utf8(text), first, second]))
}

export const proves = (mac: Uint8Array, ...what: Parameters<typeof linkProof>): boolean =>
  equalBytes(mac, linkProof(...what))
