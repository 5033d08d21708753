import { type WebSocket, WebSocketServer } from 'ws'

interface Word {
  readonly type: string
  readonly topic?: string
  readonly topics?: readonly string[]
  readonly signal?: { readonly kind: string; readonly from: number; readonly to?: number | null; readonly box?: string }
}

export interface HostileServer {
  readonly url: string
  /** Everything that it was told. */
  readonly read: readonly string[]
  /** Topics that somebody listens to. */
  readonly topics: ReadonlySet<string>
  close(): Promise<void>
}

/**
 * A signaling server that does its worst while it still delivers: it reads everything; it sends each signal altered, under another
 * sender, to everybody instead of one, several times, and again to whoever comes later.
 * `founds`: does it know founding? It grants it to everybody.
 */
export async function hostileServer({ founds = true } = {}): Promise<HostileServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.on('listening', resolve))
  const subscribed = new Map<WebSocket, Set<string>>()
  const read: string[] = []
  const topics = new Set<string>()
  const kept: Word[] = []
  const give = (socket: WebSocket, topic: string, signal: unknown) =>
    socket.send(JSON.stringify({ type: 'publish', topic, signal }))

  server.on('connection', (socket) => {
    const own = new Set<string>()
    subscribed.set(socket, own)
    socket.on('close', () => subscribed.delete(socket))
    socket.on('message', (data) => {
      const text = String(data)
      const word = JSON.parse(text) as Word
      if (word.type === 'ping') return socket.send('{"type":"pong"}')
      read.push(text)
      if (word.type === 'subscribe') {
        for (const topic of word.topics ?? []) {
          own.add(topic)
          topics.add(topic)
          // Whoever comes hears everything that was ever said.
          for (const { topic: past = '', signal } of kept) if (past.split('/')[0] === topic) give(socket, topic, signal)
        }
        return
      }
      if (!founds && word.type.startsWith('found')) return
      if (word.type === 'found') return socket.send(JSON.stringify({ ...word, type: 'grant', lease: 10_000 }))
      if (word.type === 'founded') return socket.send(JSON.stringify({ ...word, type: 'confirmed' }))
      const { signal, topic } = word
      if (word.type !== 'publish' || signal === undefined || topic === undefined) return
      kept.push(word)
      for (const [other, theirs] of subscribed) {
        // Even to its sender.
        const room = [...theirs].find((one) => one.split('/')[0] === topic.split('/')[0])
        if (room === undefined) continue
        for (const bad of altered(signal)) give(other, room, bad)
        for (let i = 0; i < 3; i++) give(other, room, signal)
        const earlier = kept[Math.floor(kept.length / 2)]
        if (earlier !== undefined) give(other, room, earlier.signal)
      }
    })
  })
  const { port } = server.address() as { port: number }
  return {
    url: `ws://127.0.0.1:${port}/`,
    read,
    topics,
    close: () => {
      for (const socket of server.clients) socket.terminate()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function* altered(signal: NonNullable<Word['signal']>): Iterable<unknown> {
  const { box } = signal
  if (box !== undefined) {
    const at = Math.floor(box.length / 2)
    yield { ...signal, box: box.slice(0, at) + (box[at] === 'A' ? 'B' : 'A') + box.slice(at + 1) }
  }
  yield { ...signal, from: signal.from - 1 }
  yield { ...signal, to: signal.to === null ? signal.from : null }
  yield { ...signal, from: signal.to ?? 1, to: signal.from }
}
