import type { Inspection } from '../src/index.ts'

export type Home = 'page' | 'frame'

/** What a member says about itself. */
export interface Status {
  readonly name: number
  readonly home: Home
  readonly replica: number
  readonly role: Inspection['role']
  readonly leader: number | null
  readonly epoch: number
  readonly zxid: string
  readonly voters: readonly number[]
  readonly links: readonly number[]
}

export type Gossip =
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'began'; readonly run: string; readonly tile: number; readonly name: number }
  | { readonly kind: 'kill'; readonly replica: number }
  | { readonly kind: 'killed'; readonly replica: number }

/**
 * What only the picture needs, beside the ensemble: said to all pages of this browser and to this one. Whatever matters is in
 * the znode tree.
 */
export class GossipChannel {
  readonly #channel = new BroadcastChannel('tabkeeper-demo')
  readonly #listeners = new Set<(message: Gossip) => void>()

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Gossip>) => this.#hear(data)
  }

  say(message: Gossip): void {
    this.#channel.postMessage(message)
    this.#hear(message)
  }

  listen(listener: (message: Gossip) => void): void {
    this.#listeners.add(listener)
  }

  #hear(message: Gossip): void {
    for (const listener of this.#listeners) listener(message)
  }
}
