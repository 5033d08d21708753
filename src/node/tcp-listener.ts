import { createServer, type Socket } from 'node:net'
import { LIMITS } from '../base/limits.ts'
import type { ClientPipe } from '../replica/api.ts'
import { type Address, plainAddress } from './address.ts'
import { isWord, type Word } from './four-letter-words.ts'
import { type Counted, CountedPipe } from './tcp-connection.ts'
import { TcpPipe } from './tcp-pipe.ts'
import { Traffic } from './traffic.ts'

/** A connection that says nothing for this long, milliseconds, before its first packet is closed. */
const SILENT_MS = 10_000
/** Answers that wait for one client; while there are more, nothing is read of it, and far more close it. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024

export interface ListenerTerms {
  readonly connected: (pipe: ClientPipe, address: string) => void
  readonly answer: (word: Word) => Promise<string>
}

/** ZooKeeper's client port: each connection is a client, or one four-letter word. */
export class TcpListener {
  // Half open: who asks a four-letter word may have said all that it will, and still wants the answer.
  readonly #server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, (socket) =>
    this.#accept(socket),
  )
  readonly #terms: ListenerTerms
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<CountedPipe>()
  /** Of all clients since it began. */
  readonly traffic: Traffic = new Traffic()

  constructor(terms: ListenerTerms) {
    this.#terms = terms
  }

  /** Resolves with the address that it has; port 0 asks for any. Rejects if the port cannot be had. */
  listen({ host, port }: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        const bound = this.#server.address()
        resolve(bound === null || typeof bound === 'string' ? { host, port } : { host, port: bound.port })
      })
    })
  }

  /** Of each client's connection. */
  connections(): Counted[] {
    return [...this.#connections].map((pipe) => pipe.counted())
  }

  /** Takes no more connections, and cuts those that are left. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const connection of this.#connections) connection.close()
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, 200)
    await closed
    clearTimeout(cut)
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(SILENT_MS, () => socket.destroy())
    const hangUp = (): void => void socket.end()
    socket.on('end', hangUp)
    let first: Buffer = Buffer.alloc(0)
    const listen = (chunk: Buffer): void => {
      first = first.length === 0 ? chunk : Buffer.concat([first, chunk])
      if (first.length < 4) return
      socket.off('data', listen)
      const word = first.toString('latin1', 0, 4)
      if (isWord(word)) {
        socket.off('end', hangUp)
        this.#answer(socket, word)
      } else this.#serve(socket, first)
    }
    socket.on('data', listen)
  }

  #answer(socket: Socket, word: Word): void {
    socket.resume()
    this.#terms.answer(word).then(
      (text) => socket.end(text),
      () => socket.destroy(),
    )
  }

  #serve(socket: Socket, first: Buffer): void {
    const address = plainAddress(socket.remoteAddress)
    socket.pause()
    socket.unshift(first)
    const tcp = new TcpPipe(socket, {
      packetBytesMax: LIMITS.packetBytesMax,
      peer: 'the client',
      unreadBytesMax: UNREAD_BYTES_MAX,
    })
    const pipe = new CountedPipe(tcp, {
      address: `${address}:${socket.remotePort ?? 0}`,
      traffic: this.traffic,
      established: () => void socket.setTimeout(0),
      closed: () => void this.#connections.delete(pipe),
    })
    this.#connections.add(pipe)
    this.#terms.connected(pipe, address)
    socket.resume()
  }
}
