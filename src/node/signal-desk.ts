import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { plainAddress } from './address.ts'
import { Allowance } from './allowance.ts'
import { admission, type Refusal } from './proxy-admission.ts'
import { GRANT_TERMS, Grants, type GrantTerms } from './signal-grants.ts'
import { Topics } from './signal-topics.ts'
import { parseSignalWord, type SignalWord } from './signal-words.ts'

export interface SignalOptions {
  /** Where it answers, as `/signal`. Default: everywhere. Requests to other paths are left to the server's other listeners. */
  readonly path?: string
  /** Origins of pages that may connect, as `https://example.org`. Default: any. Programs that send no origin may always. */
  readonly origins?: readonly string[]
  /** Whoever connects must know it: `?token=…`. Default: nobody is asked. */
  readonly token?: string
  /** Says whether this request may connect, after origin and token: false, or a rejection, refuses it. */
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>
  /** Who asks, for the limit by address: behind a proxy the socket's own address is the proxy's. */
  readonly addressOf?: (request: IncomingMessage) => string
  /** Default 60. */
  readonly connectionsPerAddress?: number
  /** In all; default 10 000. */
  readonly connectionsMax?: number
  /** Default 100 in a second, with a burst of ten seconds' worth. Who sends more is cut off. */
  readonly messagesPerSecond?: number
  /** Of one message; default 64 KiB. */
  readonly messageBytesMax?: number
  /** Default 64. */
  readonly topicsPerConnection?: number
  /** How often a silent connection is asked whether it lives, milliseconds; default 30 000. */
  readonly heartbeat?: number
  readonly founding?: Partial<GrantTerms>
}

export interface SignalHealth {
  readonly status: 'ok'
  readonly connections: number
  readonly topics: number
  readonly published: number
  readonly granted: number
  /** Not let in, and cut off for what they sent. */
  readonly refused: number
  readonly cut: number
}

const LIMITS = {
  connectionsPerAddress: 60,
  connectionsMax: 10_000,
  messagesPerSecond: 100,
  burstSeconds: 10,
  messageBytesMax: 64 * 1024,
  bytesPerSecond: 1024 * 1024,
  topicsPerConnection: 64,
  topicsMax: 100_000,
  subscribersMax: 1000,
  /** What waits for a receiver; whoever reads more slowly is cut off. */
  bufferedBytesMax: 4 * 1024 * 1024,
  heartbeat: 30_000,
} as const

/** WebSocket close codes: what came was no word of the protocol; it was one too many. */
const BAD_DATA = 1007
const OVER_LIMIT = 1008

interface Client {
  readonly socket: WebSocket
  readonly messages: Allowance
  readonly bytes: Allowance
  alive: boolean
}

/**
 * Introduces pages to each other: the y-webrtc signaling protocol (subscribe, unsubscribe, publish, ping), and grants of founding.
 * It reads nothing of what it passes on, and gives nothing back to its sender.
 */
export class SignalDesk {
  readonly #options: SignalOptions
  readonly #sockets: WebSocketServer
  readonly #admit: (request: IncomingMessage) => Refusal | null
  readonly #topics: Topics<Client>
  readonly #grants: Grants
  readonly #clients = new Set<Client>()
  readonly #byAddress = new Map<string, number>()
  readonly #heartbeat: NodeJS.Timeout
  #counts = { published: 0, granted: 0, refused: 0, cut: 0 }
  #open = true

  constructor(options: SignalOptions) {
    this.#options = options
    this.#admit = admission(options)
    this.#topics = new Topics({
      topicsMax: LIMITS.topicsMax,
      topicsPerSubscriber: options.topicsPerConnection ?? LIMITS.topicsPerConnection,
      subscribersMax: LIMITS.subscribersMax,
    })
    this.#grants = new Grants({ ...GRANT_TERMS, ...options.founding }, performance.now())
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.messageBytesMax ?? LIMITS.messageBytesMax,
      perMessageDeflate: false,
      clientTracking: false,
    })
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeat ?? LIMITS.heartbeat)
    this.#heartbeat.unref()
  }

  get health(): SignalHealth {
    return { status: 'ok', connections: this.#clients.size, topics: this.#topics.size, ...this.#counts }
  }

  /** Takes the request over: it becomes a connection, or is refused. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const address = this.#options.addressOf?.(request) ?? plainAddress(request.socket.remoteAddress)
    const refusal = this.#crowded(address) ?? this.#admit(request)
    if (refusal !== null) return this.#refuse(socket, refusal)
    // Counted before anybody is asked, so that many at once are too many.
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1)
    socket.once('close', () => {
      const left = (this.#byAddress.get(address) ?? 1) - 1
      if (left > 0) this.#byAddress.set(address, left)
      else this.#byAddress.delete(address)
    })
    const authorize = this.#options.authorize
    if (authorize !== undefined && !(await settled(authorize, request))) return this.#refuse(socket, '401 Unauthorized')
    if (!this.#open || socket.destroyed) return void socket.destroy()
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#connected(webSocket))
  }

  /** Closes every connection. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#heartbeat)
    for (const { socket } of this.#clients) {
      socket.close(1001, 'the server ends')
      setTimeout(() => socket.terminate(), 500).unref()
    }
    this.#sockets.close()
  }

  #crowded(address: string): Refusal | null {
    const { connectionsPerAddress = LIMITS.connectionsPerAddress, connectionsMax = LIMITS.connectionsMax } =
      this.#options
    const crowded = (this.#byAddress.get(address) ?? 0) >= connectionsPerAddress || this.#clients.size >= connectionsMax
    return crowded ? '429 Too Many Requests' : null
  }

  #refuse(socket: Duplex, refusal: Refusal): void {
    this.#counts.refused += 1
    socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  }

  #connected(socket: WebSocket): void {
    const now = performance.now()
    const rate = this.#options.messagesPerSecond ?? LIMITS.messagesPerSecond
    const client: Client = {
      socket,
      messages: new Allowance(rate, rate * LIMITS.burstSeconds, now),
      bytes: new Allowance(LIMITS.bytesPerSecond, LIMITS.bytesPerSecond * LIMITS.burstSeconds, now),
      alive: true,
    }
    this.#clients.add(client)
    socket.on('message', (data, binary) => this.#hear(client, String(data), binary))
    socket.on('pong', () => {
      client.alive = true
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      this.#clients.delete(client)
      this.#topics.leave(client)
    })
  }

  #hear(client: Client, text: string, binary: boolean): void {
    if (client.socket.readyState !== client.socket.OPEN) return
    client.alive = true
    const now = performance.now()
    if (!client.messages.take(1, now) || !client.bytes.take(text.length, now))
      return this.#cut(client, OVER_LIMIT, 'too much at once')
    const word = binary ? null : parseSignalWord(text)
    if (word === null) return this.#cut(client, BAD_DATA, 'not a word of this protocol')
    this.#obey(client, word, text, now)
  }

  #obey(client: Client, word: SignalWord, text: string, now: number): void {
    switch (word.type) {
      case 'subscribe':
        for (const topic of word.topics)
          if (!this.#topics.subscribe(client, topic)) return this.#cut(client, OVER_LIMIT, 'too many topics')
        return
      case 'unsubscribe':
        for (const topic of word.topics) this.#topics.unsubscribe(client, topic)
        return
      case 'publish':
        this.#counts.published += 1
        for (const other of this.#topics.subscribers(word.topic)) if (other !== client) this.#send(other, text)
        return
      case 'ping':
        return this.#send(client, '{"type":"pong"}')
      case 'found': {
        const { topic, claim } = word
        const verdict = this.#grants.found(topic, claim, now)
        if (verdict.type === 'grant') this.#counts.granted += 1
        return this.#send(client, JSON.stringify({ ...verdict, topic, claim }))
      }
      case 'founded': {
        const { topic, ensemble, claim } = word
        const answer = this.#grants.founded(topic, ensemble, claim, now)
        return this.#send(client, JSON.stringify({ ...answer, topic, claim }))
      }
      case 'other':
        return
    }
  }

  #send(client: Client, text: string): void {
    if (client.socket.bufferedAmount > LIMITS.bufferedBytesMax) return client.socket.terminate()
    client.socket.send(text)
  }

  #cut(client: Client, code: number, reason: string): void {
    this.#counts.cut += 1
    this.#topics.leave(client)
    client.socket.close(code, reason)
    // Whoever does not answer the close is gone a little later all the same.
    setTimeout(() => client.socket.terminate(), 1000).unref()
  }

  #beat(): void {
    for (const client of this.#clients) {
      if (!client.alive) client.socket.terminate()
      client.alive = false
      client.socket.ping()
    }
  }
}

async function settled(authorize: (request: IncomingMessage) => boolean | Promise<boolean>, request: IncomingMessage) {
  try {
    return (await authorize(request)) === true
  } catch {
    return false
  }
}
