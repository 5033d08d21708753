import type { Canvas } from './canvas.ts'
import { byId, h, plural } from './dom.ts'
import type { Gossip } from './gossip.ts'
import { TILES } from './mandelbrot.ts'
import { colourOf, fromLetter, hexOf, letter } from './names.ts'
import type { DoneTile, Run, RunListener } from './run.ts'

export interface JobEnd {
  readonly run: Run
  readonly seconds: number
  /** Tiles by member, in the order of the letters. */
  readonly counts: readonly (readonly [string, number])[]
}

const RECENT = 2500

/** The job's panel: picture, progress, throughput and who did how much. */
export class JobPanel implements RunListener {
  readonly #canvas: Canvas
  readonly #ended: (end: JobEnd) => void
  readonly #bar = byId('job-progress', HTMLProgressElement)
  readonly #text = byId('job-text', HTMLElement)
  readonly #hint = byId('job-hint', HTMLElement)
  readonly #legend = byId('job-legend', HTMLElement)
  readonly #done = new Map<number, DoneTile>()
  /** Who is at which tile, and of which run: a member may begin before this page has heard of the run. */
  readonly #under = new Map<number, { readonly run: string; readonly name: number }>()
  #run: Run | null = null
  #fresh = false

  constructor(canvas: Canvas, ended: (end: JobEnd) => void) {
    this.#canvas = canvas
    this.#ended = ended
    setInterval(() => this.#write(), 250)
  }

  get run(): Run | null {
    return this.#run
  }

  get complete(): boolean {
    return this.#done.size === TILES
  }

  /** By tile: the letter of who computed it. */
  get makers(): readonly (string | null)[] {
    return Array.from({ length: TILES }, (_, tile) => this.#done.get(tile)?.by ?? null)
  }

  countOf(name: number): number {
    return [...this.#done.values()].filter(({ by }) => by === letter(name)).length
  }

  inHand(name: number): number {
    return [...this.#under.values()].filter((one) => one.name === name).length
  }

  began(run: Run): void {
    if (run.id === this.#run?.id) return
    this.#run = run
    // A run that was over before this page came is shown, but not told as news.
    this.#fresh = Date.now() - run.began < 60_000
    this.#done.clear()
    this.#canvas.clear()
    for (const [tile, at] of [...this.#under]) {
      if (at.run === run.id) this.#canvas.began(tile, hexOf(at.name))
      else this.#under.delete(tile)
    }
    this.#write()
  }

  done(run: Run, tile: DoneTile): void {
    if (run.id !== this.#run?.id || this.#done.has(tile.tile)) return
    this.#done.set(tile.tile, tile)
    this.#under.delete(tile.tile)
    this.#canvas.done(tile.tile, tile.bytes, hexOf(fromLetter(tile.by)))
    this.#write()
    if (this.complete && this.#fresh) this.#ended({ run, seconds: this.#seconds(), counts: this.#counts() })
  }

  heard(message: Gossip): void {
    if (message.kind !== 'began') return
    const { run, tile, name } = message
    const shown = run === this.#run?.id
    if (shown && this.#done.has(tile)) return
    this.#under.set(tile, { run, name })
    if (shown) this.#canvas.began(tile, hexOf(name))
  }

  /** A member is gone: what it had in hand is anybody's again. */
  gone(name: number): void {
    for (const [tile, at] of [...this.#under]) {
      if (at.name !== name) continue
      this.#under.delete(tile)
      if (at.run === this.#run?.id && !this.#done.has(tile)) this.#canvas.dropped(tile)
    }
  }

  #seconds(): number {
    if (this.#run === null) return 0
    const end = this.complete ? Math.max(...[...this.#done.values()].map(({ at }) => at)) : Date.now()
    return Math.max(0, (end - this.#run.began) / 1000)
  }

  #counts(): (readonly [string, number])[] {
    const counts = new Map<string, number>()
    for (const { by } of this.#done.values()) counts.set(by, (counts.get(by) ?? 0) + 1)
    return [...counts].sort(([a], [b]) => fromLetter(a) - fromLetter(b))
  }

  #rate(): number {
    if (this.complete) return TILES / Math.max(0.001, this.#seconds())
    const recent = [...this.#done.values()].filter(({ at }) => Date.now() - at < RECENT).length
    return recent / Math.min(RECENT / 1000, Math.max(0.25, this.#seconds()))
  }

  #write(): void {
    const count = this.#done.size
    this.#hint.hidden = this.#run !== null
    this.#bar.value = count
    this.#bar.max = TILES
    const rate = `${this.#rate().toFixed(1)} tiles/s`
    const time = `${this.#seconds().toFixed(1)} s`
    const words = this.complete ? `All ${TILES} tiles in ${time}` : `${count} of ${plural(TILES, 'tile')}, ${time}`
    this.#text.replaceChildren(
      ...(this.#run === null ? ['Not started'] : [h('span', {}, words), ' ', h('span', { class: 'lead' }, rate)]),
    )
    this.#bar.textContent = words
    const rows = this.#counts().map(([by, tiles]) =>
      h(
        'li',
        { style: `--tint: ${colourOf(fromLetter(by))}; --part: ${(tiles / TILES) * 100}%` },
        h('b', { class: 'chip' }, by),
        h('span', { class: 'meter' }),
        h('span', { class: 'count' }, plural(tiles, 'tile')),
      ),
    )
    if (rows.length === 0) rows.push(h('li', { class: 'hint' }, 'Here you will see who computed how many tiles.'))
    this.#legend.replaceChildren(...rows)
  }
}
