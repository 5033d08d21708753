import { configOf } from '../zab/history.ts'
import type { Peer } from '../zab/peer.ts'
import type { ReplicaListener, ReplicaState } from './api.ts'

/** Tells the listener of changes, once a turn and only when there are any. */
export class Announcer {
  readonly #listener: ReplicaListener
  #told = ''
  #led = false

  constructor(listener: ReplicaListener) {
    this.#listener = listener
  }

  tell(peer: Peer, state: Pick<ReplicaState, 'role' | 'leader' | 'serving'>, leads: boolean): void {
    const config = configOf(peer.history)
    const told = `${state.role} ${state.leader} ${state.serving} ${peer.acceptedEpoch} ${peer.currentEpoch} ${config?.voters} ${config?.old}`
    if (told === this.#told && leads === this.#led) return
    const led = this.#led
    this.#told = told
    this.#led = leads
    this.#listener.changed({
      ...state,
      epoch: { accepted: peer.acceptedEpoch, current: peer.currentEpoch },
      voters: config?.voters ?? [],
      joint: config !== null && config.old !== null,
    })
    if (leads && !led) this.#listener.leading()
    if (!leads && led) this.#listener.notLeading()
  }
}
