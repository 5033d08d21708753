import { KeeperError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { DecodeError } from '../jute/reader.ts'
import type { ByteLink } from './byte-link.ts'
import { FramedPeerLink } from './framed-peer-link.ts'
import { Assembler, FrameQueue } from './framing.ts'
import {
  checkHello,
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  type HelloChecks,
  isGreeting,
  type Refusal,
  refusalError,
} from './hello.ts'
import { type LinkBinding, type LinkSecret, linkProof, proves } from './link-proof.ts'
import type { Hello, IntroducingLink } from './peer-link.ts'

export interface PeerLinkOptions extends HelloChecks {
  readonly linkId: LinkId
  /** Both sides prove that they know it, before anything else is said. Default: there is none, and a peer that has one is refused. */
  readonly secret?: LinkSecret
  /** A second channel to the same peer, for streams; used if the peer has one too, else closed. */
  readonly bulk?: ByteLink
  /** The caller's deadline for the handshake; the link is closed when it fires. */
  readonly signal?: AbortSignal
}

/** A greeting is small: who has not been accepted yet cannot make us remember more. */
const GREETING_BYTES_MAX = 8 * 1024

const refuseSecret = (reason: string): Refusal => ({ kind: 'refuse', code: 'WrongSecret', reason })

/**
 * Proves the secret, says hello, checks the peer's, and resolves once each side has accepted the other. Takes the channels over
 * synchronously. Rejects with a KeeperError (`WrongSecret`, `EnsembleMismatch`, `UpdateNeeded`, `BadArguments`, `StorageFailed`: the
 * same code on both sides; `ConnectionLoss`: closed, or no handshake; `Timeout` or `Aborted`: the signal) and closes the link.
 */
export function openPeerLink(link: ByteLink, self: Hello, options: PeerLinkOptions): Promise<IntroducingLink> {
  return new Promise((resolve, reject) => {
    const assembler = new Assembler(GREETING_BYTES_MAX)
    const { secret, bulk } = options
    const own: Hello = { ...self, bulk: bulk !== undefined }
    let peer: Hello | null = null
    let proved = false
    let proven = secret === undefined
    let binding: LinkBinding | null = null
    let nonce: Uint8Array | null = null
    let mac: Uint8Array | null = null
    let over = false

    const say = (greeting: Greeting): void => {
      const queue = new FrameQueue(link.frameBytesMax)
      queue.push(encodeGreeting(greeting))
      for (let frame = queue.next(); frame !== null; frame = queue.next()) link.send(frame)
    }
    const leave = (): void => {
      over = true
      for (const channel of [link, bulk]) {
        if (channel === undefined) continue
        channel.onframe = null
        channel.onclose = null
      }
      options.signal?.removeEventListener('abort', aborted)
    }
    const fail = (error: KeeperError): void => {
      leave()
      link.close(error.message)
      bulk?.close(error.message)
      reject(error)
    }
    const refuse = (refusal: Refusal): void => {
      say(refusal)
      fail(refusalError(refusal.code, refusal.reason))
    }
    const aborted = (): void => {
      const cause: unknown = options.signal?.reason
      const late = cause instanceof Error && cause.name === 'TimeoutError'
      fail(new KeeperError(late ? 'Timeout' : 'Aborted', 'no handshake in time', { cause }))
    }

    /** As far as is possible with what is known by now. */
    const prove = (): void => {
      if (secret === undefined || binding === null || nonce === null || over) return
      const nonces = { mine: secret.nonce, theirs: nonce }
      if (!proved) say({ kind: 'proof', mac: linkProof(secret.key, 'us', binding, nonces) })
      proved = true
      if (mac === null || proven) return
      if (!proves(mac, secret.key, 'them', binding, nonces))
        return refuse(refuseSecret('the secrets of the two sides differ'))
      proven = true
      say({ kind: 'hello', hello: own })
    }
    /** True: nothing more is heard here. */
    const hear = (greeting: Greeting): boolean => {
      switch (greeting.kind) {
        case 'challenge':
          if (nonce !== null) throw new DecodeError('a second challenge')
          nonce = greeting.nonce
          if (secret === undefined) refuse(refuseSecret('the peer asks for a secret, and this page has none'))
          else prove()
          return over
        case 'proof':
          if (nonce === null || mac !== null) throw new DecodeError('a proof out of turn')
          mac = greeting.mac
          prove()
          return over
        case 'hello': {
          if (peer !== null) throw new DecodeError('a second hello')
          const refusal = proven
            ? checkHello(self, greeting.hello, options)
            : refuseSecret('the peer has not proved that it knows the secret')
          if (refusal !== null) {
            refuse(refusal)
            return true
          }
          peer = greeting.hello
          say({ kind: 'accept' })
          return false
        }
        case 'accept': {
          if (peer === null) throw new DecodeError('accepted before hello')
          leave()
          return true
        }
        case 'refuse':
          fail(refusalError(greeting.code, `refused by the peer: ${greeting.reason}`))
          return true
      }
    }

    link.onframe = (frame) => {
      try {
        const messages = assembler.take(frame)
        for (let i = 0; i < messages.length; i++) {
          const message = messages[i] as Uint8Array
          if (!isGreeting(message)) throw new DecodeError('a message before the handshake')
          const greeting = decodeGreeting(message)
          if (!hear(greeting)) continue
          if (greeting.kind === 'accept' && peer !== null) {
            assembler.allow(LIMITS.messageBytesMax)
            const channels = { control: link, bulk: (peer.bulk === true && bulk) || null }
            if (channels.bulk === null) bulk?.close('the peer has one channel')
            resolve(new FramedPeerLink(channels, peer, options.linkId, assembler, messages.slice(i + 1)))
          }
          return
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        fail(new KeeperError('ConnectionLoss', `bad handshake: ${error.message}`, { cause: error }))
      }
    }
    link.onclose = (reason) => fail(new KeeperError('ConnectionLoss', `closed before the handshake ended: ${reason}`))
    if (bulk !== undefined) {
      bulk.onclose = link.onclose
      // Nobody streams before we have asked for it.
      bulk.onframe = () => fail(new KeeperError('ConnectionLoss', 'bad handshake: a stream before it'))
    }
    if (options.signal?.aborted === true) return aborted()
    options.signal?.addEventListener('abort', aborted)
    if (secret === undefined) return say({ kind: 'hello', hello: own })
    say({ kind: 'challenge', nonce: secret.nonce })
    secret.bound.then(
      (known) => {
        binding = known
        prove()
      },
      (cause: unknown) => {
        if (!over) fail(new KeeperError('ConnectionLoss', `no connection to prove anything on: ${cause}`, { cause }))
      },
    )
  })
}
