import { parseEnvelope } from './parse-signal.ts'
import type { Envelope } from './signal.ts'
import type { Signaling } from './signaling.ts'

/** Pages of one origin in one browser: no server, and delivery within a few milliseconds. The default. */
export class BroadcastChannelSignaling implements Signaling {
  #channel: BroadcastChannel | null = null

  async join(topic: string, onSignal: (signal: Envelope) => void): Promise<void> {
    this.leave()
    const channel = new BroadcastChannel(`tabkeeper:${topic}`)
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const signal = parseEnvelope(data)
      if (signal !== null) onSignal(signal)
    }
    this.#channel = channel
  }

  send(signal: Envelope): void {
    this.#channel?.postMessage(signal)
  }

  leave(): void {
    if (this.#channel === null) return
    this.#channel.onmessage = null
    this.#channel.close()
    this.#channel = null
  }
}
