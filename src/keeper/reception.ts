import { portPipe } from '../client/port-pipe.ts'
import { ClientDoor, type DoorParts } from '../mesh/client-door.ts'
import { standingOf } from '../mesh/partners.ts'
import type { Started, WorkerEvent } from '../replica/service-api.ts'
import type { WorkerHost } from './worker-host.ts'

type State = Extract<WorkerEvent, { kind: 'changed' }>['state']

/** Lets pages without a replica in to this page's: their packets go to the worker as those of clients whom it does not keep alive. */
export class Reception {
  readonly #door: ClientDoor
  readonly #started: Started

  constructor(host: WorkerHost, started: Started, parts: Omit<DoorParts, 'ensemble' | 'self' | 'incarnation' | 'now'>) {
    const { ensemble, replica: self, incarnation } = started
    this.#started = started
    this.#door = new ClientDoor({ ...parts, ensemble, self, incarnation, now: () => performance.now() }, (client) => {
      const { port1, port2 } = new MessageChannel()
      const pipe = portPipe(port1)
      pipe.onframe = (frame) => client.send(new Uint8Array(frame))
      pipe.onclose = () => client.close()
      client.onframe = (frame) => pipe.send(new Uint8Array(frame))
      client.onclose = () => pipe.close()
      // A replica that serves nobody now: the client tries another one.
      host.call('connectClient', [port2, 'peer'], [port2]).catch(() => client.close())
    })
  }

  join(): Promise<void> {
    return this.#door.join()
  }

  ticked(): void {
    this.#door.ticked()
  }

  changed(state: State): void {
    this.#door.stands(state.serving ? standingOf(this.#started.replica, state).stands : null)
  }

  /** Synchronously, as in `pagehide`. */
  close(): void {
    this.#door.close()
  }
}
