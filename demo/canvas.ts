import { IMAGE, TILE, TILES, TILES_PER_ROW } from './mandelbrot.ts'

type Colour = readonly [number, number, number]

const DARK: Colour = [12, 16, 26]
const LIGHT: Colour = [250, 250, 246]

/** `#rrggbb` */
const parse = (hex: string): Colour =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Colour

/** From the dark through the member's colour to the light: 256 colours, by a pixel's byte. */
function ramp(tint: Colour): readonly Colour[] {
  const between = (a: Colour, b: Colour, t: number): Colour =>
    [0, 1, 2].map((i) => Math.round((a[i] ?? 0) + ((b[i] ?? 0) - (a[i] ?? 0)) * t)) as unknown as Colour
  return Array.from({ length: 256 }, (_, byte) =>
    byte < 140 ? between(DARK, tint, byte / 140) : between(tint, LIGHT, ((byte - 140) / 115) ** 1.4),
  )
}

/** The picture: 64 tiles, each blank, under way, or done by somebody. */
export class Canvas {
  /** A byte a pixel, row by row; 0 where nothing is yet. */
  readonly image: Uint8Array = new Uint8Array(IMAGE * IMAGE)
  readonly #element: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D
  readonly #done = new Map<number, { readonly bytes: Uint8Array; readonly tint: string }>()
  readonly #under = new Map<number, string>()
  readonly #ramps = new Map<string, readonly Colour[]>()
  #tinted = true

  constructor(element: HTMLCanvasElement) {
    const context = element.getContext('2d')
    if (context === null) throw new Error('This browser draws no pictures.')
    this.#element = element
    this.#context = context
    element.width = IMAGE
    element.height = IMAGE
    this.clear()
  }

  clear(): void {
    this.image.fill(0)
    this.#done.clear()
    this.#under.clear()
    for (let tile = 0; tile < TILES; tile++) this.#paint(tile)
  }

  set tinted(tinted: boolean) {
    this.#tinted = tinted
    for (const tile of this.#done.keys()) this.#paint(tile)
  }

  began(tile: number, tint: string): void {
    this.#under.set(tile, tint)
    this.#paint(tile)
  }

  /** Nobody computes it any more. */
  dropped(tile: number): void {
    this.#under.delete(tile)
    this.#paint(tile)
  }

  done(tile: number, bytes: Uint8Array, tint: string): void {
    this.#under.delete(tile)
    this.#done.set(tile, { bytes, tint })
    const { x, y } = corner(tile)
    for (let row = 0; row < TILE; row++) {
      this.image.set(bytes.subarray(row * TILE, (row + 1) * TILE), (y + row) * IMAGE + x)
    }
    this.#paint(tile)
  }

  /** `data:image/png…` */
  png(): string {
    return this.#element.toDataURL('image/png')
  }

  #paint(tile: number): void {
    const { x, y } = corner(tile)
    const context = this.#context
    const done = this.#done.get(tile)
    if (done !== undefined) return this.#picture(x, y, done.bytes, this.#tinted ? done.tint : '#8a8f99')
    context.fillStyle = '#131822'
    context.fillRect(x, y, TILE, TILE)
    context.strokeStyle = '#232b3a'
    context.lineWidth = 1
    context.strokeRect(x + 0.5, y + 0.5, TILE - 1, TILE - 1)
    const tint = this.#under.get(tile)
    if (tint === undefined) return
    context.globalAlpha = 0.28
    context.fillStyle = tint
    context.fillRect(x, y, TILE, TILE)
    context.globalAlpha = 1
    context.strokeStyle = tint
    context.lineWidth = 5
    context.strokeRect(x + 4, y + 4, TILE - 8, TILE - 8)
  }

  #picture(x: number, y: number, bytes: Uint8Array, tint: string): void {
    let colours = this.#ramps.get(tint)
    if (colours === undefined) {
      colours = ramp(parse(tint))
      this.#ramps.set(tint, colours)
    }
    const pixels = this.#context.createImageData(TILE, TILE)
    bytes.forEach((byte, i) => {
      pixels.data.set([...(colours[byte] ?? DARK), 255], i * 4)
    })
    this.#context.putImageData(pixels, x, y)
  }
}

const corner = (tile: number): { readonly x: number; readonly y: number } => ({
  x: (tile % TILES_PER_ROW) * TILE,
  y: Math.floor(tile / TILES_PER_ROW) * TILE,
})
