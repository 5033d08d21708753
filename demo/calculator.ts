import type { TileInput } from './mandelbrot.ts'

type Waiting = { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (error: Error) => void }

/** One member's thread for computing: tiles go in, their bytes come out, one after the other. */
export class Calculator {
  readonly #worker = new Worker(new URL('./mandelbrot-worker.ts', import.meta.url), { type: 'module' })
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<{ id: number; bytes: Uint8Array }>) => {
      this.#waiting.get(data.id)?.resolve(data.bytes)
      this.#waiting.delete(data.id)
    })
    this.#worker.addEventListener('error', () => this.#fail(new Error('The computing worker stopped.')))
  }

  compute(input: TileInput): Promise<Uint8Array> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, input })
    })
  }

  /** What is under way will never be finished. */
  terminate(): void {
    this.#worker.terminate()
    this.#fail(new Error('The computing worker was ended.'))
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
