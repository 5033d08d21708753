import { KeeperError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
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
  refusalError,
} from './hello.ts'
import type { Hello, PeerLink } from './peer-link.ts'

export interface PeerLinkOptions extends HelloChecks {
  readonly linkId: LinkId
  /** The caller's deadline for the handshake; the link is closed when it fires. */
  readonly signal?: AbortSignal
}

/**
 * Says hello, checks the peer's, and resolves once each side has accepted the other. Takes the link over synchronously.
 * Rejects with a KeeperError (`EnsembleMismatch`, `UpdateNeeded`, `BadArguments`, `StorageFailed`: the same code on both
 * sides; `ConnectionLoss`: closed, or no handshake; `Timeout` or `Aborted`: the signal) and closes the link.
 */
export function openPeerLink(link: ByteLink, self: Hello, options: PeerLinkOptions): Promise<PeerLink> {
  return new Promise((resolve, reject) => {
    const assembler = new Assembler()
    let peer: Hello | null = null

    const say = (greeting: Greeting): void => {
      const queue = new FrameQueue(link.frameBytesMax)
      queue.push(encodeGreeting(greeting))
      for (let frame = queue.next(); frame !== null; frame = queue.next()) link.send(frame)
    }
    const leave = (): void => {
      link.onframe = null
      link.onclose = null
      options.signal?.removeEventListener('abort', aborted)
    }
    const fail = (error: KeeperError): void => {
      leave()
      link.close(error.message)
      reject(error)
    }
    const aborted = (): void => {
      const cause: unknown = options.signal?.reason
      const late = cause instanceof Error && cause.name === 'TimeoutError'
      fail(new KeeperError(late ? 'Timeout' : 'Aborted', 'no handshake in time', { cause }))
    }

    const hear = (greeting: Greeting): boolean => {
      switch (greeting.kind) {
        case 'hello': {
          if (peer !== null) throw new DecodeError('a second hello')
          const refusal = checkHello(self, greeting.hello, options)
          if (refusal !== null) {
            say(refusal)
            fail(refusalError(refusal.code, refusal.reason))
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
            resolve(new FramedPeerLink(link, peer, options.linkId, assembler, messages.slice(i + 1)))
          }
          return
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        fail(new KeeperError('ConnectionLoss', `bad handshake: ${error.message}`, { cause: error }))
      }
    }
    link.onclose = (reason) => {
      leave()
      reject(new KeeperError('ConnectionLoss', `closed before the handshake ended: ${reason}`))
    }
    if (options.signal?.aborted === true) return aborted()
    options.signal?.addEventListener('abort', aborted)
    say({ kind: 'hello', hello: self })
  })
}
