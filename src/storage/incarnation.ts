const SINCE = Date.UTC(2025, 0, 1)
/** So that some hundred thousand more fit 31 bits, which a directory of LevelDB has for it. */
const SECONDS_MAX = 2 ** 31 - 2 ** 20

/** About when a claim was made, milliseconds since 1970: no later than that, if the clock was right. */
export const claimedAt = (incarnation: number): number => SINCE + incarnation * 1000

/**
 * The incarnation of a claim: more than the one before, and by the clock more than those that the store has forgotten if it was put back from a
 * backup. Others remember those, and hear nothing of a lower one. `wall`: milliseconds since 1970.
 */
export function nextIncarnation(before: number, wall: number): number {
  const seconds = Math.floor((wall - SINCE) / 1000)
  return Math.max(before + 1, Math.min(seconds, SECONDS_MAX))
}
