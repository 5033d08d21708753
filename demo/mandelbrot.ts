// What is computed, and nothing else: the same function runs in every member's worker and in the test's single thread.

/** The image's side and a tile's, in pixels. */
export const IMAGE = 1024
export const TILE = 128
export const TILES_PER_ROW: number = IMAGE / TILE
export const TILES: number = TILES_PER_ROW * TILES_PER_ROW

/** A valley between the set's two largest parts. */
const CENTRE = { x: -0.7463, y: 0.1102 }
const WIDTH = 0.005
const ITERATIONS = 1500
const ESCAPE = 64
const BANDS = 0.27

/** `tile` counts row by row; `samples` is how many points a pixel averages along each axis. */
export interface TileInput {
  readonly run: string
  readonly tile: number
  readonly samples: number
}

/** Does the point stay (0), or how soon does it escape? A shade from 1 to 255 that swings with the time. */
function shade(cx: number, cy: number): number {
  let x = 0
  let y = 0
  let xx = 0
  let yy = 0
  for (let n = 0; n < ITERATIONS; n++) {
    y = 2 * x * y + cy
    x = xx - yy + cx
    xx = x * x
    yy = y * y
    if (xx + yy > ESCAPE) {
      const time = n + 1 - Math.log2(Math.log2(xx + yy) / 2)
      return 128 + 127 * Math.sin(Math.sqrt(Math.max(0, time)) * BANDS * Math.PI - 2)
    }
  }
  return 0
}

/** One row of a tile, a byte a pixel, into `bytes`. */
export function computeRow({ tile, samples }: TileInput, row: number, bytes: Uint8Array): void {
  const left = (tile % TILES_PER_ROW) * TILE
  const top = Math.floor(tile / TILES_PER_ROW) * TILE
  const step = WIDTH / (IMAGE * samples)
  for (let column = 0; column < TILE; column++) {
    let sum = 0
    for (let j = 0; j < samples; j++) {
      const y = CENTRE.y + WIDTH / 2 - ((top + row) * samples + j + 0.5) * step
      for (let i = 0; i < samples; i++) {
        sum += shade(CENTRE.x - WIDTH / 2 + ((left + column) * samples + i + 0.5) * step, y)
      }
    }
    bytes[row * TILE + column] = Math.round(sum / (samples * samples))
  }
}

/** A whole tile: 16 384 bytes, row by row. */
export function computeTile(input: TileInput): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TILE * TILE)
  for (let row = 0; row < TILE; row++) computeRow(input, row, bytes)
  return bytes
}
