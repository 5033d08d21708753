import { type ErrorCode, KeeperError } from '../base/errors.ts'
import { isEnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'
import { DecodeError, Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import { REASON_LENGTH_MAX } from './codec.ts'
import { PROOF_BYTES } from './link-proof.ts'
import type { Hello } from './peer-link.ts'

/**
 * The words of the handshake. Their layout never changes, whatever the peer protocol's version: hello ends with a buffer
 * for later additions, which this version ignores.
 */
export type Greeting =
  /** "Prove that you know the secret, for this link and with these 32 bytes in it." Before hello, where there is a secret. */
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array }
  | { readonly kind: 'proof'; readonly mac: Uint8Array }
  | { readonly kind: 'hello'; readonly hello: Hello }
  /** "Your hello fits." Messages may follow. */
  | { readonly kind: 'accept' }
  | { readonly kind: 'refuse'; readonly code: RefusalCode; readonly reason: string }

/** Why a link is refused. `BadArguments`: our own replica id. `StorageFailed`: the peer's log was claimed anew. */
export type RefusalCode = Extract<
  ErrorCode,
  'EnsembleMismatch' | 'UpdateNeeded' | 'BadArguments' | 'StorageFailed' | 'WrongSecret'
>

/** Where a message has its version: no version is 0. */
const GREETING = 0
const HELLO = 1
const ACCEPT = 2
const REFUSE = 3
const CHALLENGE = 4
const PROOF = 5
const CODES: readonly RefusalCode[] = [
  'EnsembleMismatch',
  'UpdateNeeded',
  'BadArguments',
  'StorageFailed',
  'WrongSecret',
]
const NAME_LENGTH_MAX = 200
/** The later additions so far: a byte each. */
const ADDITIONS = ['adopted', 'bulk', 'lasting', 'phone'] as const

export const isGreeting = (bytes: Uint8Array): boolean => bytes[0] === GREETING

export function encodeGreeting(greeting: Greeting): Uint8Array<ArrayBuffer> {
  const writer = new Writer().byte(GREETING)
  switch (greeting.kind) {
    case 'challenge':
      return writer.byte(CHALLENGE).buffer(greeting.nonce).finish()
    case 'proof':
      return writer.byte(PROOF).buffer(greeting.mac).finish()
    case 'hello': {
      const hello = greeting.hello
      writer.byte(HELLO).string(hello.ensemble).long(hello.replica).long(hello.incarnation)
      writer.int(hello.versionMin).int(hello.versionMax).int(hello.format)
      writer.string(hello.browser.slice(0, NAME_LENGTH_MAX)).string(hello.build.slice(0, NAME_LENGTH_MAX))
      return writer.buffer(Uint8Array.from(ADDITIONS, (name) => (hello[name] === true ? 1 : 0))).finish()
    }
    case 'accept':
      return writer.byte(ACCEPT).finish()
    case 'refuse':
      writer.byte(REFUSE).byte(CODES.indexOf(greeting.code))
      return writer.string(greeting.reason.slice(0, REASON_LENGTH_MAX)).finish()
  }
}

/** Throws DecodeError. */
export function decodeGreeting(bytes: Uint8Array): Greeting {
  const reader = new Reader(bytes)
  if (reader.byte() !== GREETING) throw new DecodeError('no greeting')
  const greeting = read(reader, reader.byte())
  reader.end()
  return greeting
}

function read(reader: Reader, type: number): Greeting {
  switch (type) {
    case CHALLENGE:
      return { kind: 'challenge', nonce: exactly(reader, PROOF_BYTES) }
    case PROOF:
      return { kind: 'proof', mac: exactly(reader, PROOF_BYTES) }
    case HELLO:
      return { kind: 'hello', hello: readHello(reader) }
    case ACCEPT:
      return { kind: 'accept' }
    case REFUSE: {
      const code = CODES[reader.byte()]
      if (code === undefined) throw new DecodeError('unknown refusal')
      return { kind: 'refuse', code, reason: short(reader, REASON_LENGTH_MAX) }
    }
    default:
      throw new DecodeError(`greeting type ${type}`)
  }
}

function readHello(reader: Reader): Hello {
  const ensemble = short(reader, NAME_LENGTH_MAX)
  if (!isEnsembleId(ensemble)) throw new DecodeError('no ensemble id')
  const replica = reader.long()
  if (!isReplicaId(replica)) throw new DecodeError('no replica id')
  const incarnation = reader.long()
  const [versionMin, versionMax, format] = [reader.int(), reader.int(), reader.int()]
  if (versionMin < 1 || versionMax < versionMin || format < 1) throw new DecodeError('versions out of range')
  const browser = short(reader, NAME_LENGTH_MAX)
  const build = short(reader, NAME_LENGTH_MAX)
  const added = reader.buffer()
  const more = Object.fromEntries(ADDITIONS.filter((_, i) => added?.[i] === 1).map((name) => [name, true]))
  return { ensemble, replica, incarnation, versionMin, versionMax, format, browser, build, ...more }
}

function exactly(reader: Reader, length: number): Uint8Array {
  const bytes = reader.bytes()
  if (bytes.length !== length) throw new DecodeError(`${bytes.length} bytes instead of ${length}`)
  // A frame's bytes are used again.
  return bytes.slice()
}

function short(reader: Reader, lengthMax: number): string {
  const text = reader.text()
  if (text.length > lengthMax) throw new DecodeError(`text of ${text.length}`)
  return text
}

export interface HelloChecks {
  /** The highest incarnation of that replica heard of so far; 0 or undefined: none. */
  readonly knownIncarnation?: (replica: ReplicaId) => number | undefined
  /** The log format in force here: a peer that does not know it cannot take part. */
  readonly requiredFormat?: number
}

export interface Refusal {
  readonly kind: 'refuse'
  readonly code: RefusalCode
  readonly reason: string
}

/** Does the peer's hello fit ours? null: yes. */
export function checkHello(self: Hello, peer: Hello, checks: HelloChecks): Refusal | null {
  const refuse = (code: RefusalCode, reason: string): Refusal => ({ kind: 'refuse', code, reason })
  if (peer.versionMax < self.versionMin || self.versionMax < peer.versionMin) {
    const spoken = (hello: Hello): string => `${hello.versionMin} to ${hello.versionMax} (${hello.build})`
    return refuse('UpdateNeeded', `no common peer protocol: ${spoken(self)} and ${spoken(peer)}; reload the older page`)
  }
  if (peer.ensemble !== self.ensemble) {
    return refuse('EnsembleMismatch', `ensembles ${self.ensemble} and ${peer.ensemble} share a name`)
  }
  if (peer.replica === self.replica) return refuse('BadArguments', `both sides are replica ${self.replica}`)
  const known = checks.knownIncarnation?.(peer.replica) ?? 0
  if (peer.incarnation < known) {
    return refuse(
      'StorageFailed',
      `replica ${peer.replica} was claimed anew: incarnation ${peer.incarnation} after ${known}`,
    )
  }
  const required = checks.requiredFormat ?? 0
  if (peer.format < required) {
    return refuse('UpdateNeeded', `the log has format ${required}, this page knows ${peer.format}: reload it`)
  }
  return null
}

export const refusalError = (code: RefusalCode, reason: string): KeeperError => new KeeperError(code, reason)
