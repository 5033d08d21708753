import { h } from './dom.ts'
import type { FrameWord } from './member.ts'
import { memberAddress } from './wires.ts'

/** The members that live in frames of this page: each with its own worker, database and session. */
export class Frames {
  readonly #home: HTMLElement
  readonly #frames = new Map<HTMLIFrameElement, number | null>()

  constructor(home: HTMLElement) {
    this.#home = home
    addEventListener('message', ({ data, source, origin }: MessageEvent<FrameWord>) => {
      if (origin !== location.origin || data?.kind !== 'member') return
      for (const frame of this.#frames.keys()) {
        if (frame.contentWindow === source) this.#frames.set(frame, data.replica)
      }
    })
  }

  add(): void {
    // Small and out of sight, but laid out: a browser may slow down a frame that is not.
    const frame = h('iframe', { src: memberAddress(), title: 'A member of the ensemble', tabindex: -1 })
    this.#frames.set(frame, null)
    this.#home.append(frame)
  }

  /** The replicas in them, as far as they have joined. */
  get replicas(): readonly number[] {
    return [...this.#frames.values()].filter((replica) => replica !== null)
  }

  has(replica: number): boolean {
    return [...this.#frames.values()].includes(replica)
  }

  /** As a crash: none of the frame's code runs any more, so that nobody is told and nothing is handed over. */
  kill(replica: number): void {
    for (const [frame, own] of this.#frames) {
      if (own !== replica) continue
      frame.contentWindow?.addEventListener('pagehide', (event) => event.stopImmediatePropagation(), { capture: true })
      frame.remove()
      this.#frames.delete(frame)
    }
  }
}
