import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'

/** What a replica has said that its disk holds. Of a store that is as it should be, none of it ever becomes less. */
export interface Standing {
  /** The last epoch that it promised. */
  readonly acceptedEpoch: number
  /** The last epoch whose history it acknowledged, and how far. */
  readonly currentEpoch: number
  readonly zxid: Zxid
}

/** What a peer remembers of another. */
export interface Remembered extends Standing {
  readonly id: ReplicaId
}

const shorter = (now: Standing, then: Standing): boolean =>
  now.currentEpoch !== then.currentEpoch ? now.currentEpoch < then.currentEpoch : now.zxid < then.zxid

/** Has whoever had `then` gone backwards if it has `now`? A log may end earlier than it did, but only in a later epoch. */
export const isBehind = (now: Standing, then: Standing): boolean =>
  now.acceptedEpoch < then.acceptedEpoch || shorter(now, then)

/** The more of two things that one replica has said. */
export function most(a: Standing, b: Standing): Standing {
  const { currentEpoch, zxid } = shorter(a, b) ? b : a
  return { acceptedEpoch: Math.max(a.acceptedEpoch, b.acceptedEpoch), currentEpoch, zxid }
}
