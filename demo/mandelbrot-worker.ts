import { computeTile, type TileInput } from './mandelbrot.ts'

// The page's thread stays free: frames of one origin share it.
addEventListener('message', ({ data }: MessageEvent<{ readonly id: number; readonly input: TileInput }>) => {
  const bytes = computeTile(data.input)
  postMessage({ id: data.id, bytes }, { transfer: [bytes.buffer] })
})
