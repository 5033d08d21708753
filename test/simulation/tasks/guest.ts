import { Client } from '../../../src/client/client.ts'
import type { Clock } from '../../../src/client/clock.ts'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import type { TaskWorld } from '../../../src/tasks/task-world.ts'
import type { Chance } from '../chance.ts'
import { connectTo } from '../client-pipe.ts'
import type { Node } from '../node.ts'
import type { World } from '../world.ts'

/** The wall clock of the simulated world, as replicas have it. */
const wallOf = (world: World): number => 1_800_000_000_000 + world.now

/** A page with a session: it may freeze, be cut off, or crash. */
export interface Guest extends TaskWorld {
  readonly client: Client
  /** The connection fails; the client connects again. */
  drop(): void
  freeze(): void
  /** It goes on where it stopped, perhaps long after its session. */
  thaw(): void
  /** It is gone without a word. */
  crash(): void
}

/** `hosts`: the replicas that it may connect to. */
export function openGuest(
  world: World,
  chance: Chance,
  hosts: () => readonly Node[],
  latency: () => number,
  sessionTimeout: number,
): Guest {
  let frozen = false
  let gone = false
  let parked: (() => void)[] = []
  const act = (what: () => void): void => {
    if (gone) return
    if (frozen) parked.push(what)
    else what()
  }
  const clock: Clock = {
    now: () => world.now,
    after: (ms, then) => {
      let on = true
      world.after(ms, null, () => {
        if (on) act(then)
      })
      return () => {
        on = false
      }
    },
  }
  let present: FramePipe | null = null
  const connect = async (): Promise<FramePipe> => {
    const there = hosts().filter((node) => node.alive)
    if (there.length === 0 || gone || frozen) throw new Error('nobody there')
    const raw = await connectTo(world, chance.pick(there), latency)
    const pipe: FramePipe = {
      onframe: null,
      onclose: null,
      send: (frame) => {
        if (!frozen && !gone) raw.send(frame)
        else parked.push(() => raw.send(frame))
      },
      close: () => raw.close(),
    }
    raw.onframe = (frame) => act(() => pipe.onframe?.(frame))
    raw.onclose = (reason) => act(() => pipe.onclose?.(reason))
    present = pipe
    return pipe
  }
  // Without the additions to ZooKeeper's protocol a write whose reply is lost ends in doubt.
  const plain = chance.is(0.5)
  const client = Client.connect(connect, { clock, random: () => chance.real(), sessionTimeout, plain })
  const drop = (): void => {
    const pipe = present
    present = null
    const heard = pipe?.onclose
    pipe?.close()
    act(() => heard?.('the network failed'))
  }
  return {
    client,
    clock,
    random: (into) => into.set(chance.bytes(into.length)),
    wallTime: () => wallOf(world),
    drop,
    freeze: () => {
      frozen = true
    },
    thaw: () => {
      frozen = false
      const waiting = parked
      parked = []
      for (const what of waiting) act(what)
    },
    crash: () => {
      gone = true
      parked = []
      present?.close()
    },
  }
}
