import { LIMITS } from '../../src/base/limits.ts'
import type { Peer } from '../../src/zab/peer.ts'
import { Violation } from './violation.ts'

const WRITES_MAX = 10_000
/** A life of half a minute begins some dozens. */
const EPOCHS_MAX = 5000
/** Where it votes, or leads, a liar may make some up: at most `epochJumpMax` at a time, of the 2^21 that there are. */
const EPOCHS_LIED_MAX = 16 * LIMITS.epochJumpMax

/** I11: whatever others say, what a replica keeps of them is bounded by how many they are, and no number is used up. */
export function checkBounds(peer: Readonly<Peer>, size: number, liarVotes: () => boolean): void {
  const { role } = peer
  const kept: Record<string, number> = { links: peer.links.size, memory: peer.memory.size }
  if (role.kind === 'looking') kept['votes'] = role.votes.size
  if (role.kind === 'leading') {
    kept['learners'] = role.learners.size
    kept['infos'] = role.infos.size
    kept['epochAcks'] = role.epochAcks.size
    kept['newLeaderAcks'] = role.newLeaderAcks.size
  }
  for (const [name, count] of Object.entries(kept)) {
    if (count > size)
      throw new Violation('I11', `replica ${peer.options.id} keeps ${count} ${name} of ${size} replicas`)
  }
  if (peer.pending.length > WRITES_MAX) {
    throw new Violation('I11', `replica ${peer.options.id} has issued ${peer.pending.length} writes`)
  }
  const { acceptedEpoch } = peer
  if (acceptedEpoch > EPOCHS_LIED_MAX || (acceptedEpoch > EPOCHS_MAX && !liarVotes()))
    throw new Violation('I11', `an epoch was made up: ${acceptedEpoch}`)
}
