/**
 * Whom a member needs links to. Voters link to all voters; everybody else to the one it follows and to a spare, and to more of them the
 * longer it follows nobody. Pure: what a member knows in, ids out.
 */
import type { ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import type { Stands } from '../signaling/signal.ts'

/** A member's own part in the ensemble, as its replica tells it. */
export interface Standing {
  readonly stands: Stands
  /** By its own log. */
  readonly voters: readonly ReplicaId[]
  readonly leader: ReplicaId | null
  /** Whom it follows, or is about to. */
  readonly parent: ReplicaId | null
  /** The leader, if it wants this observer near and there is no link to it. */
  readonly wantedBy: ReplicaId | null
  readonly serving: boolean
}

/** From what a replica tells of itself. */
export function standingOf(self: ReplicaId, state: Omit<Standing, 'stands'> & { readonly role: string }): Standing {
  const { voters, leader, parent, wantedBy, serving } = state
  const stands = state.role === 'leading' ? 'leads' : voters.includes(self) ? 'votes' : 'observes'
  return { stands, voters, leader, parent, wantedBy, serving }
}

/** Another member, as its signals tell. */
export interface Candidate {
  readonly id: ReplicaId
  /** Null: it has not said; it is linked to as a voter would be. */
  readonly stands: Stands | null
  readonly open: boolean
  readonly failures: number
  /** By chance, so that not all choose the same. */
  readonly draw: number
}

/** An observer that follows nobody links to one more voter after each so many milliseconds. */
const WIDEN_MS = 1000

/** `searched`: milliseconds for which it has followed nobody. */
export function partnersOf(me: Standing, others: readonly Candidate[], searched: number): ReadonlySet<ReplicaId> {
  const voting = others.filter(({ stands }) => stands !== 'observes')
  if (me.stands !== 'observes') {
    const named = new Set(me.voters)
    return new Set([...voting, ...others.filter(({ id }) => named.has(id))].map(({ id }) => id))
  }
  const chosen = new Set<ReplicaId>()
  if (me.parent !== null) chosen.add(me.parent)
  if (me.wantedBy !== null) chosen.add(me.wantedBy)
  const settled = me.serving && me.parent !== null
  // Who knows no voter asks whoever is there: they introduce it.
  const pool = voting.length > 0 ? voting : settled ? [] : others
  const leads = ({ id, stands }: Candidate): boolean => stands === 'leads' || id === me.leader
  const crowded = others.length - voting.length + 1 > LIMITS.observersMax
  // The leader's links are few: a spare is somebody else, and where there are many observers the leader is asked last.
  const late = (one: Candidate): number => Number(leads(one) === (settled || crowded))
  const ranked = pool
    .filter((one) => !chosen.has(one.id) && !(settled && leads(one)))
    .sort((a, b) => Number(b.open) - Number(a.open) || a.failures - b.failures || late(a) - late(b) || a.draw - b.draw)
  const wanted = settled ? 1 : (crowded ? 2 : 1) + Math.floor(searched / WIDEN_MS) - chosen.size
  for (const { id } of ranked.slice(0, Math.max(0, wanted))) chosen.add(id)
  return chosen
}
