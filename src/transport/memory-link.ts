import { LIMITS } from '../base/limits.ts'
import type { ByteLink } from './byte-link.ts'

export interface MemoryLinkOptions {
  readonly frameBytesMax?: number
  /** When a frame, or the end, reaches the other side. Must keep the order. Default: the next microtask. */
  readonly schedule?: (deliver: () => void) => void
}

/** Two ends of a pipe in one thread. */
export function memoryLinkPair(options: MemoryLinkOptions = {}): readonly [ByteLink, ByteLink] {
  const frameBytesMax = options.frameBytesMax ?? LIMITS.frameBytesMax
  // Browsers refuse to be called as anybody's method.
  const schedule = options.schedule ?? ((deliver) => queueMicrotask(deliver))
  const a = new MemoryLink(frameBytesMax, schedule)
  const b = new MemoryLink(frameBytesMax, schedule)
  a.other = b
  b.other = a
  return [a, b]
}

class MemoryLink implements ByteLink {
  readonly frameBytesMax: number
  other: MemoryLink | null = null
  onframe: ((frame: Uint8Array) => void) | null = null
  onclose: ((reason: string) => void) | null = null
  ondrain: (() => void) | null = null
  readonly #schedule: (deliver: () => void) => void
  #buffered = 0
  #open = true

  constructor(frameBytesMax: number, schedule: (deliver: () => void) => void) {
    this.frameBytesMax = frameBytesMax
    this.#schedule = schedule
  }

  get bufferedBytes(): number {
    return this.#buffered
  }

  send(frame: Uint8Array): void {
    if (!this.#open) return
    this.#buffered += frame.length
    this.#schedule(() => {
      const above = this.#buffered >= LOW_WATER
      this.#buffered -= frame.length
      this.other?.receive(frame)
      if (this.#open && above && this.#buffered < LOW_WATER) this.ondrain?.()
    })
  }

  close(reason: string): void {
    if (!this.#open) return
    this.#schedule(() => this.other?.ended(reason))
    this.ended(reason)
  }

  receive(frame: Uint8Array): void {
    if (this.#open) this.onframe?.(frame)
  }

  ended(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.onclose?.(reason)
  }
}

const LOW_WATER = LIMITS.linkBufferedBytesMax / 4
