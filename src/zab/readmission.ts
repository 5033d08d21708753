/**
 * A voter whose store went backwards may have forgotten a promise or an acknowledgement that others counted. It stays a member, follows,
 * logs and serves, but neither votes nor counts, until it is let in again by a leader whose quorum does without it (testing.md 2.6;
 * VR Revisited 4.3, recovery).
 */
import type { ReplicaId } from '../base/ids.ts'
import { proposeRecord, tryCommit } from './broadcast.ts'
import { startLooking } from './election.ts'
import type { Order } from './facts.ts'
import { configOf, lastZxid } from './history.ts'
import { encodeFormat, FIRST_FORMAT } from './membership.ts'
import { forgive } from './memory.ts'
import type { Regressed } from './messages.ts'
import { counted, type Following, type Leading, type Learner, mark, type Peer } from './peer.ts'
import { hasQuorum } from './quorum.ts'
import { stepDown } from './roles.ts'
import { isBehind } from './standing.ts'
import { write } from './writes.ts'

/** 1. Somebody remembers more of this replica than it has. What was on its way when the other spoke may have arrived by now. */
export function onRegressed(peer: Peer, from: ReplicaId, then: Regressed, orders: Order[]): void {
  const { acceptedEpoch, currentEpoch, history } = peer
  if (peer.demoted || !isBehind({ acceptedEpoch, currentEpoch, zxid: lastZxid(history) }, then))
    return mark(orders, 'regression-refuted')
  demote(peer, `${from} remembers more of this replica than its disk has`, orders)
}

/** 2. It knows: from now on it votes for nobody. */
function demote(peer: Peer, reason: string, orders: Order[]): void {
  mark(orders, 'went-backwards', reason)
  orders.push({ kind: 'notice', code: 'WentBackwards', reason })
  write(peer, [{ kind: 'demoted', demoted: true }], { kind: 'nothing' }, orders)
  if (peer.role.kind !== 'looking') return stepDown(peer, 'this store went backwards', orders)
  peer.generation++
  startLooking(peer, orders)
}

/**
 * 3. Leader, at the end of a turn: a demoted learner has the whole history. A fresh record is proposed behind it; once a quorum without the learner
 * has that on disk, no epoch can be begun with what the learner once promised: somebody in its quorum would know more.
 */
export function readmitAll(peer: Peer, role: Leading, orders: Order[]): void {
  for (const learner of role.learners.values()) {
    if (!learner.demoted || learner.stage !== 'active' || peer.role !== role) continue
    if (learner.readmission === null) {
      if (role.awaiting !== null || role.handingOver !== null) continue
      mark(orders, 'readmission-began')
      proposeRecord(peer, role, 'format', encodeFormat(FIRST_FORMAT), orders)
      learner.readmission = { fresh: lastZxid(peer.history), told: false }
    } else if (!learner.readmission.told && freshQuorum(peer, role, learner, learner.readmission.fresh)) {
      learner.readmission = { ...learner.readmission, told: true }
      const { id: to, link, nonce } = learner
      orders.push({ kind: 'send', to, link, message: { kind: 'readmit', nonce } })
    }
  }
}

function freshQuorum(peer: Peer, role: Leading, learner: Learner, fresh: number): boolean {
  const config = configOf(peer.history)
  const has = (id: ReplicaId): boolean =>
    id !== learner.id && (id === peer.options.id ? peer.durable.zxid : (counted(role, id)?.acked ?? -1)) >= fresh
  return config !== null && hasQuorum(config, has)
}

/** 4. Learner: it counts again, and that is on its disk before it says so. */
export function learnerOnReadmit(peer: Peer, role: Following, orders: Order[]): void {
  if (role.phase !== 'broadcast' || !peer.demoted) return stepDown(peer, 'Readmit out of turn', orders)
  write(peer, [{ kind: 'demoted', demoted: false }], { kind: 'readmitted', generation: peer.generation }, orders)
}

export function learnerReadmissionStored(role: Following, orders: Order[]): void {
  const { leader: to, link, nonce } = role
  orders.push({ kind: 'send', to, link, message: { kind: 'readmitted', nonce } })
}

/** 5. Leader: from here on its acknowledgements count. */
export function leaderOnReadmitted(peer: Peer, role: Leading, learner: Learner, orders: Order[]): void {
  if (!learner.demoted || learner.readmission?.told !== true) return mark(orders, 'readmitted-out-of-turn')
  mark(orders, 'readmitted')
  learner.demoted = false
  learner.readmission = null
  forgive(peer, learner.id, { acceptedEpoch: role.epoch, currentEpoch: role.epoch, zxid: learner.acked })
  tryCommit(peer, role, orders)
}
