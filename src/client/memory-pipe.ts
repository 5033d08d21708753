import type { FramePipe } from './frame-pipe.ts'

/**
 * Two ends of a pipe within one thread. Each frame arrives in a microtask of its own, in order, and is not copied; what comes
 * before `onframe` is set waits for it.
 */
export function memoryPipe(): [FramePipe, FramePipe] {
  const one = new PipeEnd()
  const other = new PipeEnd()
  one.other = other
  other.other = one
  return [one, other]
}

class PipeEnd implements FramePipe {
  other: PipeEnd | null = null
  onclose: ((reason: string) => void) | null = null
  #onframe: ((frame: Uint8Array) => void) | null = null
  #inbox: Uint8Array[] = []
  #closed = false

  get onframe(): ((frame: Uint8Array) => void) | null {
    return this.#onframe
  }

  set onframe(listener: ((frame: Uint8Array) => void) | null) {
    this.#onframe = listener
    if (this.#inbox.length > 0) queueMicrotask(() => this.#drain())
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.#closed) this.other?.arrive(frame)
  }

  close(): void {
    this.end('closed here')
    this.other?.end('closed by the other end')
  }

  arrive(frame: Uint8Array): void {
    queueMicrotask(() => {
      this.#inbox.push(frame)
      this.#drain()
    })
  }

  /** In a microtask too, so that frames sent before the close arrive before it. */
  end(reason: string): void {
    queueMicrotask(() => {
      if (this.#closed) return
      this.#closed = true
      this.onclose?.(reason)
    })
  }

  #drain(): void {
    while (!this.#closed && this.#onframe !== null) {
      const frame = this.#inbox.shift()
      if (frame === undefined) return
      this.#onframe(frame)
    }
  }
}
