import type { ReplicaId } from '../base/ids.ts'
import { configOf } from '../zab/history.ts'
import type { Config } from '../zab/membership.ts'
import { wantedBy } from '../zab/parent.ts'
import type { Peer } from '../zab/peer.ts'
import type { ReplicaListener, ReplicaState } from './api.ts'

type State = Pick<ReplicaState, 'role' | 'leader' | 'parent' | 'wantedBy' | 'serving'>

/** Whom the replica follows, and who wants it near. */
export const aboveOf = (peer: Peer): Pick<ReplicaState, 'parent' | 'wantedBy'> =>
  peer.role.kind === 'following' ? { parent: peer.role.leader, wantedBy: wantedBy(peer, peer.role) } : NOBODY

const NOBODY: { readonly parent: ReplicaId | null; readonly wantedBy: ReplicaId | null } = {
  parent: null,
  wantedBy: null,
}

/** Tells the listener of changes, once a turn and only when there are any. */
export class Announcer {
  readonly #listener: ReplicaListener
  #told: {
    readonly state: State
    readonly accepted: number
    readonly current: number
    readonly config: Config | null
  } | null = null
  #led = false

  constructor(listener: ReplicaListener) {
    this.#listener = listener
  }

  tell(peer: Peer, role: State['role'], leader: State['leader'], serving: boolean, leads: boolean): void {
    const config = configOf(peer.history)
    const { acceptedEpoch: accepted, currentEpoch: current } = peer
    const told = this.#told
    const above = aboveOf(peer)
    if (
      told !== null &&
      leads === this.#led &&
      told.state.role === role &&
      told.state.leader === leader &&
      told.state.parent === above.parent &&
      told.state.wantedBy === above.wantedBy &&
      told.state.serving === serving &&
      told.accepted === accepted &&
      told.current === current &&
      told.config === config
    )
      return
    const led = this.#led
    this.#told = { state: { role, leader, ...above, serving }, accepted, current, config }
    this.#led = leads
    this.#listener.changed({
      ...this.#told.state,
      epoch: { accepted, current },
      voters: config?.voters ?? [],
      joint: config !== null && config.old !== null,
    })
    if (leads && !led) this.#listener.leading()
    if (!leads && led) this.#listener.notLeading()
  }
}
