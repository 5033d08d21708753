import { Client } from '../../../src/client/client.ts'
import type { Clock } from '../../../src/client/clock.ts'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import type { TaskWorld } from '../../../src/tasks/task-world.ts'
import { Standalone } from '../../standalone.ts'

/** One page: a session with the server, over a connection that can be cut. */
export interface Tab extends TaskWorld {
  readonly client: Client
  /** Cuts the connection now; the client connects again by itself. */
  cut(): void
  /** The page stops without a word: its session lives until the server expires it. */
  freeze(): void
  /** It goes on where it stopped; what came meanwhile comes now. */
  thaw(): void
}

interface Timer {
  readonly at: number
  readonly fire: () => void
}

/** Does what happens in a page, or keeps it until the page is thawed. */
class Page {
  #frozen = false
  #parked: (() => void)[] = []

  act(what: () => void): void {
    if (this.#frozen) this.#parked.push(what)
    else what()
  }

  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
    for (const what of this.#parked.splice(0)) this.act(what)
  }
}

/** What may happen to a frame on its way. */
export type Fate = 'passes' | 'cut before' | 'cut after'

/** A real server and real clients under one clock that moves only by `pass`. */
export class Tabs {
  readonly server = new Standalone({ seed: 7 })
  readonly random: (into: Uint8Array<ArrayBuffer>) => void
  readonly clients: Client[] = []
  #timers = new Set<Timer>()
  #seed: number
  /** Milliseconds: how finely time passes. */
  step = 50
  /** Milliseconds that a frame is under way; order is kept. */
  lag: () => number = () => 0
  /** Decides over each frame of a tab; the default lets all pass. */
  fate: (frame: Uint8Array) => Fate = () => 'passes'
  /** Clients speak ZooKeeper's protocol and nothing else: a write whose reply is lost ends in doubt. */
  plain = false

  constructor(seed = 1) {
    this.#seed = seed
    this.random = (into) => {
      for (let i = 0; i < into.length; i++) into[i] = Math.floor(this.draw() * 256)
    }
  }

  /** mulberry32 */
  draw = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** `spared`: nothing happens to its frames. */
  async open(sessionTimeout = 10_000, spared = false): Promise<Tab> {
    const page = new Page()
    let pipe: FramePipe | null = null
    const clock: Clock = {
      now: () => this.server.now,
      after: (ms, then) => {
        const timer = {
          at: this.server.now + ms,
          fire: () => page.act(then),
        }
        this.#timers.add(timer)
        return () => this.#timers.delete(timer)
      },
    }
    const connect = async (): Promise<FramePipe> => {
      const raw = await this.server.connect()
      pipe = spared ? raw : this.#lossy(raw, page)
      return pipe
    }
    const client = Client.connect(connect, { clock, random: this.draw, sessionTimeout, plain: this.plain })
    this.clients.push(client)
    while (client.state !== 'connected') await this.pass(10)
    return {
      client,
      clock,
      random: this.random,
      wallTime: () => this.server.wall,
      cut: () => pipe?.close(),
      freeze: () => page.freeze(),
      thaw: () => page.thaw(),
    }
  }

  #lossy(raw: FramePipe, page: Page): FramePipe {
    const there = this.#line()
    const back = this.#line()
    const pipe: FramePipe = {
      onframe: null,
      onclose: null,
      send: (frame) =>
        page.act(() => {
          const fate = this.fate(frame)
          there(() => {
            if (fate === 'cut before') raw.close()
            else raw.send(frame)
            if (fate === 'cut after') raw.close()
          })
        }),
      close: () => raw.close(),
    }
    raw.onframe = (frame) => back(() => page.act(() => pipe.onframe?.(frame)))
    raw.onclose = (reason) => page.act(() => pipe.onclose?.(reason))
    return pipe
  }

  /** What is put in comes out in order, each after its lag. */
  #line(): (arrive: () => void) => void {
    let last = 0
    return (arrive) => {
      const at = Math.max(this.server.now + this.lag(), last)
      last = at
      if (at <= this.server.now) arrive()
      else this.#timers.add({ at, fire: arrive })
    }
  }

  /** Lets time pass, in small steps; everything that can happen in each does. */
  async pass(ms: number, step = this.step): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.server.advance(Math.min(left, step))
      for (const timer of [...this.#timers]) {
        if (timer.at > this.server.now || !this.#timers.delete(timer)) continue
        timer.fire()
      }
      await this.server.settled()
    }
  }

  /** Lets time pass until the promise is settled, at most `ms`. */
  async until<T>(promise: Promise<T>, ms = 60_000): Promise<T> {
    let settled = false
    const done = promise.finally(() => {
      settled = true
    })
    done.catch(() => {})
    await this.server.settled()
    for (let passed = 0; !settled && passed < ms; passed += this.step) await this.pass(this.step)
    if (!settled) throw new Error(`still waiting after ${ms} ms`)
    return done
  }

  async close(): Promise<void> {
    this.fate = () => 'passes'
    for (const client of this.clients) client.close().catch(() => {})
    await this.pass(200)
  }
}
