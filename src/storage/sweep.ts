import type { Candidate } from './choose.ts'
import type { ClaimOptions } from './claim.ts'
import { claimedAt } from './incarnation.ts'

const WEEK = 7 * 24 * 3600 * 1000

/**
 * Of the free logs beside the one that is taken up, those that nobody will miss: no voter's, by a configuration that the chosen log holds
 * and knows to be committed, with nothing in them that it lacks; and either once a voter's, or claimed for the last time a week ago. Not the one that says what the
 * ensemble was forked from: without it this browser might open the parent again.
 * `wall`: milliseconds since 1970.
 */
export function spare(
  chosen: Candidate,
  candidates: readonly Candidate[],
  votersOf: ClaimOptions['votersOf'],
  wall: number,
): Candidate[] {
  const { config, committed, currentEpoch, last, local } = chosen
  if (config === null || config.zxid > committed) return []
  return candidates.filter(
    (one) =>
      one !== chosen &&
      !one.forked &&
      one.local.identity.ensemble === local.identity.ensemble &&
      (one.config === null || one.config.zxid <= config.zxid) &&
      !votersOf(config).includes(one.local.identity.replica) &&
      one.currentEpoch <= currentEpoch &&
      one.last <= last &&
      (wasVoter(one, votersOf) || wall - claimedAt(one.incarnation) > WEEK),
  )
}

const wasVoter = ({ config, local }: Candidate, votersOf: ClaimOptions['votersOf']): boolean =>
  config !== null && votersOf(config).includes(local.identity.replica)
