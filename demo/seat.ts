import { type Inspection, Keeper, KeeperError, type KeeperEvents } from '../src/index.ts'
import { Calculator } from './calculator.ts'
import type { GossipChannel, Home, Status } from './gossip.ts'
import type { TileInput } from './mandelbrot.ts'
import { claimName, letter } from './names.ts'
import { wires } from './wires.ts'

export const ENSEMBLE = 'demo'
export const QUEUE = 'mandelbrot'
export const GROUP = 'demo'

/** The queue's one kind of task. */
export interface Jobs {
  readonly tile: { readonly in: TileInput; readonly out: Uint8Array }
}

export const tilePath = (run: string, tile: number): string => `/demo/runs/${run}/${String(tile).padStart(2, '0')}`

/** What this page has while its session lasts. */
export interface Place {
  readonly keeper: Keeper
  readonly replica: number
  readonly name: number
  /** Aborts when the session is over. */
  readonly signal: AbortSignal
}

export interface SeatListener {
  opened?(place: Place): void
  inspected?(inspection: Inspection, status: Status): void
  state?(state: KeeperEvents['state']): void
  notice?(notice: KeeperEvents['notice']): void
  /** Its session is over; another one is opened soon, after this many milliseconds. */
  lost?(retryIn: number): void
  failed?(error: KeeperError): void
}

const SPEAK_EVERY = 400
const REJOIN_AFTER = 2500

/** One member: its place in the ensemble, taken again when it was lost, and its work on the tiles. */
export class Seat {
  readonly #home: Home
  readonly #gossip: GossipChannel
  readonly #listener: SeatListener
  #replicaWorker: Worker | null = null
  #place: Place | null = null
  #calculator: Calculator | null = null

  constructor(home: Home, gossip: GossipChannel, listener: SeatListener) {
    this.#home = home
    this.#gossip = gossip
    this.#listener = listener
  }

  get place(): Place | null {
    return this.#place
  }

  /** Never rejects; what cannot be mended is told to the listener. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#sit()
      } catch (error) {
        if (!(error instanceof KeeperError)) throw error
        if (['Unsupported', 'StorageFailed', 'UpdateNeeded', 'EnsembleMismatch'].includes(error.code)) {
          this.#listener.failed?.(error)
          return
        }
      }
      this.#place = null
      this.#listener.lost?.(REJOIN_AFTER)
      await new Promise((resolve) => setTimeout(resolve, REJOIN_AFTER))
    }
  }

  /** Ends the replica's worker and the computing one as the browser would, in the midst of whatever they do. */
  kill(): void {
    this.#replicaWorker?.terminate()
    this.#calculator?.terminate()
  }

  /** One session, from its beginning to its end. */
  async #sit(): Promise<void> {
    const keeper = await Keeper.open({
      ensemble: ENSEMBLE,
      ...wires(),
      worker: () => {
        this.#replicaWorker = new Worker(new URL('../workers/replica.ts', import.meta.url), { type: 'module' })
        return this.#replicaWorker
      },
      onNotice: (notice) => this.#listener.notice?.(notice),
    })
    const over = new AbortController()
    const calculator = new Calculator()
    this.#calculator = calculator
    try {
      const ended = new Promise<void>((resolve) => {
        keeper.addEventListener('state', ({ detail }) => {
          this.#listener.state?.(detail)
          if (detail.state === 'lost' || detail.state === 'closed') resolve()
        })
      })
      const { replica } = await keeper.inspect()
      const name = await claimName(keeper, replica)
      const place: Place = { keeper, replica, name, signal: over.signal }
      await keeper.membership(GROUP).join(JSON.stringify({ replica, name, home: this.#home }))
      this.#speak(place)
      await this.#work(place, calculator)
      this.#place = place
      this.#listener.opened?.(place)
      if (keeper.state !== 'lost' && keeper.state !== 'closed') await ended
    } finally {
      over.abort()
      calculator.terminate()
      await keeper.close()
    }
  }

  async #work({ keeper, name }: Place, calculator: Calculator): Promise<void> {
    const queue = keeper.queue<Jobs>(QUEUE)
    await queue.worker(
      {
        tile: async (input, context) => {
          this.#gossip.say({ kind: 'began', run: input.run, tile: input.tile, name })
          const bytes = await calculator.compute(input)
          // Created in the transaction that completes the task: a second completion would be refused.
          context.alsoCommit([{ op: 'create', path: tilePath(input.run, input.tile), data: letter(name) }])
          return bytes
        },
      },
      // The second one waits in the computing worker, so that it never idles while a completion is committed.
      { slots: 2, labels: { member: letter(name) } },
    )
  }

  #speak(place: Place): void {
    const { keeper, name, replica, signal } = place
    let asking = false
    const speak = async (): Promise<void> => {
      if (asking || signal.aborted) return
      asking = true
      try {
        const now = await keeper.inspect()
        const status: Status = {
          name,
          home: this.#home,
          replica,
          role: now.role,
          leader: now.leader,
          epoch: now.epoch.current,
          zxid: now.zxid.committed,
          voters: now.voters,
          links: now.links.filter(({ state }) => state === 'open').map(({ peer }) => peer),
        }
        if (signal.aborted) return
        this.#gossip.say({ kind: 'status', status })
        this.#listener.inspected?.(now, status)
      } catch (error) {
        // A replica that is gone cannot be asked; the session's end is told elsewhere.
        if (!(error instanceof KeeperError)) throw error
      } finally {
        asking = false
      }
    }
    const timer = setInterval(() => void speak(), SPEAK_EVERY)
    signal.addEventListener('abort', () => clearInterval(timer))
    keeper.addEventListener('ensemble', () => void speak())
    void speak()
  }
}
