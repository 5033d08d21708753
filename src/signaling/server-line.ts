/** What is used of a WebSocket: the browser's, or one from a package. */
export interface LineSocket {
  readonly readyState: number
  send(text: string): void
  close(): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
}

export interface LineParts {
  /** May throw, for an address that the platform refuses. */
  readonly connect: (url: string) => LineSocket
  /** A timer; the function that is returned stops it. */
  readonly after: (ms: number, then: () => void) => () => void
  /** In [0, 1). */
  readonly random: () => number
}

/** Milliseconds. */
export const LINE = {
  /** The most that is waited after the first failure; doubles up to the second figure. What is waited is drawn evenly below it. */
  backoffMin: 500,
  backoffMax: 30_000,
  /** A connection that does not open by then never will. */
  openWithin: 10_000,
  /** The server is asked so often whether it is there, and has until the next question to say something. */
  pingEvery: 25_000,
} as const

/** Of the server's words, which are small. */
const WORD_LENGTH_MAX = 128 * 1024
const OPEN = 1

export interface LineListener {
  opened(): void
  /** A JSON object, of unknown fields. */
  heard(word: { readonly [field: string]: unknown }): void
  closed(): void
}

/** A connection to one signaling server, for as long as it is wanted: it comes back by itself, with full jitter. */
export class ServerLine {
  readonly url: string
  readonly #parts: LineParts
  readonly #listener: LineListener
  #socket: LineSocket | null = null
  #stopTimer: () => void = () => {}
  #failures = 0
  #answered = true
  #ended = false

  constructor(url: string, parts: LineParts, listener: LineListener) {
    this.url = url
    this.#parts = parts
    this.#listener = listener
    this.#connect()
  }

  get open(): boolean {
    return this.#socket?.readyState === OPEN
  }

  /** Nothing happens while the line is not open. */
  say(word: object): void {
    if (this.open) this.#socket?.send(JSON.stringify(word))
  }

  /** For good. What was said before still goes out. */
  end(): void {
    this.#ended = true
    this.#drop()
  }

  #connect(): void {
    let socket: LineSocket
    try {
      socket = this.#parts.connect(this.url)
    } catch {
      return this.#again()
    }
    this.#socket = socket
    this.#timer(LINE.openWithin, () => this.#lost(socket))
    socket.onopen = () => {
      this.#answered = true
      this.#ping(socket)
      this.#listener.opened()
    }
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      this.#answered = true
      this.#failures = 0
      const word = parse(data)
      if (word !== null && word['type'] !== 'pong') this.#listener.heard(word)
    }
    socket.onclose = () => this.#lost(socket)
  }

  #ping(socket: LineSocket): void {
    if (!this.#answered) return this.#lost(socket)
    this.#answered = false
    this.say({ type: 'ping' })
    this.#timer(LINE.pingEvery, () => this.#ping(socket))
  }

  #lost(socket: LineSocket): void {
    if (this.#socket !== socket) return
    this.#drop()
    this.#listener.closed()
    this.#again()
  }

  #again(): void {
    if (this.#ended) return
    const most = Math.min(LINE.backoffMax, LINE.backoffMin * 2 ** this.#failures)
    this.#failures += 1
    this.#timer(this.#parts.random() * most, () => this.#connect())
  }

  #drop(): void {
    this.#stopTimer()
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    socket.close()
  }

  #timer(ms: number, then: () => void): void {
    this.#stopTimer()
    this.#stopTimer = this.#parts.after(ms, then)
  }
}

function parse(data: unknown): { readonly [field: string]: unknown } | null {
  if (typeof data !== 'string' || data.length > WORD_LENGTH_MAX) return null
  try {
    const value: unknown = JSON.parse(data)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as { readonly [field: string]: unknown }) : null
  } catch {
    return null
  }
}
