import { Client } from '../src/client/client.ts'
import type { Clock } from '../src/client/clock.ts'
import { memoryPipe } from '../src/client/memory-pipe.ts'
import type { ReplicaHost } from '../src/replica/api.ts'
import { Dispatcher } from '../src/tasks/dispatcher.ts'

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}

/** A dispatcher that ended by itself is followed by another one after this long. */
const RESTART_MS = 500

/**
 * The task dispatcher beside the ensemble's leader, which has every commit first. An ordinary client of its own replica; when
 * another replica leads, that one's dispatcher deposes this one.
 */
export class LeadersDispatcher {
  #stop: (() => Promise<void>) | null = null

  start(replica: ReplicaHost): void {
    this.stop()
    const client = Client.connect(
      async () => {
        const [mine, theirs] = memoryPipe()
        replica.clientConnected(theirs, { from: 'worker', address: '' })
        return mine
      },
      { clock, random: () => Math.random(), touchedByHost: true },
    )
    const dispatcher = new Dispatcher(
      { client, clock, random: (into) => crypto.getRandomValues(into), wallTime: () => Date.now() },
      { depose: true },
    )
    const stop = async (): Promise<void> => {
      await dispatcher.stop()
      await client.close()
    }
    this.#stop = stop
    // It ends with its session; while this replica leads there is a next one, after a pause.
    dispatcher.start().catch(() => dispatcher.stop())
    void dispatcher.ended.then(() => {
      if (this.#stop !== stop) return
      clock.after(RESTART_MS, () => {
        if (this.#stop === stop) this.start(replica)
      })
    })
  }

  stop(): void {
    this.#stop?.().catch(() => undefined)
    this.#stop = null
  }
}
