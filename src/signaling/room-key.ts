import { toHex, utf8 } from '../base/bytes.ts'

/** What is derived from a secret. Whoever knows the ensemble's name and the secret has the same. */
export interface RoomKey {
  /** All of it follows from this and the name: it is the secret itself, in 32 bytes or as it was given. */
  readonly root: Uint8Array<ArrayBuffer>
  /** Where the members meet. Says nothing of name or secret. */
  readonly topic: string
  /** AES-GCM, not extractable. */
  readonly signals: CryptoKey
  /** Proves over a new link that its two ends know the secret. */
  readonly link: Uint8Array<ArrayBuffer>
  /** Lets its holder in as a client and as nothing more: none of the above follows from it. 32 bytes. */
  readonly client: Uint8Array<ArrayBuffer>
  /** Tells different secrets apart, in public. */
  readonly tag: string
}

/** People's passwords can be guessed: this makes each guess cost some tenths of a second. */
const ITERATIONS = 600_000

/**
 * `secret`: a password (PBKDF2, some tenths of a second), or bytes drawn by chance (16 at least), used as they are. Each of the keys is
 * HKDF-SHA-256 of that, with the ensemble's name as salt and its own label.
 */
export async function deriveRoomKey(secret: string | Uint8Array, name: string, subtle: SubtleCrypto): Promise<RoomKey> {
  const root = typeof secret === 'string' ? await ofPassword(secret, name, subtle) : new Uint8Array(secret)
  const key = await subtle.importKey('raw', root, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const terms = (label: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: utf8(`tabkeeper room\n${name}`),
    info: utf8(`tabkeeper 1 ${label}`),
  })
  const bytes = async (label: string, length: number) =>
    new Uint8Array(await subtle.deriveBits(terms(label), key, length * 8))
  const [topic, link, client, tag, signals] = await Promise.all([
    bytes('topic', 16),
    bytes('link', 32),
    bytes('client', 32),
    bytes('tag', 16),
    subtle.deriveKey(terms('signals'), key, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
  ])
  return { root, topic: toHex(topic), signals, link, client, tag: toHex(tag) }
}

/**
 * The room where clients meet members, of a RoomKey's `client`. Not the room of an ensemble whose secret that is: who tries the client's
 * key as a member's comes to a place where nobody is.
 */
export const deriveClientRoom = (client: Uint8Array, name: string, subtle: SubtleCrypto): Promise<RoomKey> =>
  deriveRoomKey(client, `clients of\n${name}`, subtle)

/** Where knocks are heard: whoever knows the name finds it. */
export async function lobbyTopic(name: string, subtle: SubtleCrypto): Promise<string> {
  const digest = await subtle.digest('SHA-256', utf8(`tabkeeper lobby\n${name}`))
  return toHex(new Uint8Array(digest).subarray(0, 16))
}

async function ofPassword(password: string, name: string, subtle: SubtleCrypto): Promise<Uint8Array<ArrayBuffer>> {
  const key = await subtle.importKey('raw', utf8(password.normalize('NFC')), 'PBKDF2', false, ['deriveBits'])
  const salt = utf8(`tabkeeper password\n${name}`)
  const terms = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ITERATIONS }
  return new Uint8Array(await subtle.deriveBits(terms, key, 256))
}
