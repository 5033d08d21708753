import { type Keeper, KeeperError } from '../src/index.ts'
import { TILES } from './mandelbrot.ts'
import { ensure } from './names.ts'
import { type Jobs, type Place, QUEUE, tilePath } from './seat.ts'

const RUN = '/demo/run'
const RUNS = '/demo/runs'

export interface Run {
  readonly id: string
  readonly samples: number
  /** Milliseconds, the leader's clock. */
  readonly began: number
}

export interface DoneTile {
  readonly tile: number
  /** The letter of who computed it. */
  readonly by: string
  readonly bytes: Uint8Array
  /** Milliseconds, the leader's clock. */
  readonly at: number
}

export interface RunListener {
  began(run: Run): void
  done(run: Run, tile: DoneTile): void
}

const taskId = (run: string, tile: number): string => `${run}-${String(tile).padStart(2, '0')}`

/** What is already gone is as good as deleted. */
async function unless(code: KeeperError['code'], act: Promise<unknown>): Promise<void> {
  try {
    await act
  } catch (error) {
    if (!(error instanceof KeeperError && error.code === code)) throw error
  }
}

/**
 * Adds all tiles of a new run, then shows it to everybody: whoever dies in between leaves nothing that others wait for. What is
 * unfinished of the runs before is called off.
 */
export async function startRun({ keeper }: Place, samples: number): Promise<void> {
  const id = crypto.randomUUID().slice(0, 8)
  await ensure(keeper, '/demo')
  await ensure(keeper, RUNS)
  const before = (await keeper.getChildren(RUNS)).children
  await callOff(keeper, before)
  await keeper.create(`${RUNS}/${id}`)
  await keeper.queue<Jobs>(QUEUE).addAll(
    Array.from({ length: TILES }, (_, tile) => ({
      name: 'tile' as const,
      input: { run: id, tile, samples },
      // Members are killed here for fun: no tile may fail for it.
      options: { id: taskId(id, tile), maxCrashes: 1000, retry: { max: 5 } },
    })),
  )
  await ensure(keeper, RUN)
  await keeper.setData(RUN, JSON.stringify({ id, samples }))
}

async function callOff(keeper: Keeper, runs: readonly string[]): Promise<void> {
  const queue = keeper.queue<Jobs>(QUEUE)
  for (const run of runs) {
    const { children } = await keeper.getChildren(`${RUNS}/${run}`)
    const done = new Set(children.map(Number))
    const open = Array.from({ length: TILES }, (_, tile) => tile).filter((tile) => !done.has(tile))
    await Promise.all(open.map((tile) => unless('NoNode', queue.handle('tile', taskId(run, tile)).cancel('a new run'))))
    const late = (await keeper.getChildren(`${RUNS}/${run}`)).children
    await Promise.all(late.map((tile) => unless('NoNode', keeper.delete(`${RUNS}/${run}/${tile}`))))
    await unless('NoNode', keeper.delete(`${RUNS}/${run}`))
  }
}

/** The run that is shown now, or null if there never was one. */
async function currentRun(keeper: Keeper): Promise<Run | null> {
  try {
    const { data } = await keeper.getData(RUN)
    const { id, samples } = JSON.parse(new TextDecoder().decode(data ?? undefined)) as Partial<Run>
    if (typeof id !== 'string' || typeof samples !== 'number') return null
    const stat = await keeper.exists(`${RUNS}/${id}`)
    return stat === null ? null : { id, samples, began: stat.ctime }
  } catch (error) {
    // No run yet, or somebody edited the node by hand.
    if (error instanceof SyntaxError || (error instanceof KeeperError && error.code === 'NoNode')) return null
    throw error
  }
}

/** Is there a run whose tiles are not all done? */
export async function isRunning({ keeper }: Place): Promise<boolean> {
  const run = await currentRun(keeper)
  if (run === null) return false
  const stat = await keeper.exists(`${RUNS}/${run.id}`)
  return stat !== null && stat.numChildren < TILES
}

/** Tells of the current run and of every tile of it, once each, as long as the session lasts. */
export async function followRuns(place: Place, listener: RunListener): Promise<void> {
  const { keeper, signal } = place
  let shown = ''
  let stop = new AbortController()
  try {
    const notices = await keeper.watch(RUN, { signal })
    for (;;) {
      const run = await currentRun(keeper)
      if (run !== null && run.id !== shown) {
        stop.abort()
        stop = new AbortController()
        shown = run.id
        listener.began(run)
        void followTiles(place, run, AbortSignal.any([signal, stop.signal]), listener)
      }
      const next = await notices.next()
      if (next.done) return
    }
  } catch (error) {
    // The session is over; the next one follows anew.
    if (!(error instanceof KeeperError)) throw error
  } finally {
    stop.abort()
  }
}

async function followTiles({ keeper }: Place, run: Run, signal: AbortSignal, listener: RunListener): Promise<void> {
  const queue = keeper.queue<Jobs>(QUEUE)
  const told = new Set<number>()
  const tell = async (tile: number): Promise<void> => {
    if (told.has(tile)) return
    told.add(tile)
    try {
      const [{ data, stat }, bytes] = await Promise.all([
        keeper.getData(tilePath(run.id, tile)),
        queue.handle('tile', taskId(run.id, tile)).result({ signal }),
      ])
      if (signal.aborted) return
      listener.done(run, { tile, by: new TextDecoder().decode(data ?? undefined), bytes, at: stat.ctime })
    } catch (error) {
      // Deleted meanwhile, or the connection broke: after that comes `resumed` or `resync`.
      told.delete(tile)
      if (!(error instanceof KeeperError)) throw error
    }
  }
  const lookAround = async (): Promise<void> => {
    const { children } = await keeper.getChildren(`${RUNS}/${run.id}`)
    await Promise.all(children.map((name) => tell(Number(name))))
  }
  try {
    const notices = await keeper.watch(`${RUNS}/${run.id}`, { recursive: true, signal })
    await lookAround()
    for await (const { type, path } of notices) {
      if (type === 'resync' || type === 'resumed') await lookAround()
      else if (type === 'NodeCreated') void tell(Number(path.slice(path.lastIndexOf('/') + 1)))
    }
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error
  }
}
