import { type EnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'
import type { Lobby } from './lobby.ts'
import { NO_ENSEMBLE, type Signal } from './signal.ts'
import type { MemberSignaling } from './signaling.ts'

/** Where to ask. */
export interface Whereabouts {
  readonly topic: string
  readonly signaling: MemberSignaling
  lobby(self: ReplicaId, stranger: () => void): Lobby
}

export type Sighting =
  | { readonly kind: 'ensemble'; readonly ensemble: EnsembleId }
  /** Only pages that give this name another secret, or none. */
  | { readonly kind: 'strangers' }
  | { readonly kind: 'nobody' }

/** How often the question is repeated. */
const SEEK_EVERY = 1000

/** Which ensemble of this name is there? Asks for as long as `ms`, and answers as soon as a member does. Rejects if `signal` aborts. */
export async function scout(wires: Whereabouts, ms: number, signal: AbortSignal | undefined): Promise<Sighting> {
  signal?.throwIfAborted()
  const self = randomReplica()
  const question: Signal = { kind: 'seek', ensemble: NO_ENSEMBLE, from: self, incarnation: 0 }
  const ask = (): void => wires.signaling.send(question)
  let strangers = false
  const lobby = wires.lobby(self, () => {
    strangers = true
  })
  const again = setInterval(ask, SEEK_EVERY)
  let stop = (): void => {}
  try {
    return await new Promise<Sighting>((resolve, reject) => {
      const aborted = (): void => reject(signal?.reason)
      const late = setTimeout(() => resolve({ kind: strangers ? 'strangers' : 'nobody' }), ms)
      stop = () => {
        clearTimeout(late)
        signal?.removeEventListener('abort', aborted)
      }
      signal?.addEventListener('abort', aborted)
      wires.signaling.onreach = ask
      const hear = ({ ensemble }: Signal): void => {
        if (ensemble !== NO_ENSEMBLE) resolve({ kind: 'ensemble', ensemble })
      }
      Promise.all([wires.signaling.join(wires.topic, hear, self), lobby.enter()]).then(ask, reject)
    })
  } finally {
    stop()
    clearInterval(again)
    wires.signaling.leave()
    lobby.leave()
  }
}

/** Who speaks and is no member. */
export function randomReplica(): ReplicaId {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
  const id = (high & 0x1fffff) * 2 ** 32 + low
  return isReplicaId(id) ? id : randomReplica()
}
