/** The mutants that the small world is large enough for, with the bounds within which the exhaustive search meets them (default: its own). */
export const SMALL_WORLD: Readonly<Record<string, readonly string[]>> = {
  'ack-before-durable': [],
  'leader-counts-itself-early': [],
  'newleader-acked-early': [],
  'no-truncation': ['--transactions', '2', '--follows', '3'],
  'history-committed-early': [],
  'followers-may-be-ahead': [],
  'promise-before-durable': [],
  'half-is-a-quorum': [],
  'no-session-nonce': [],
  'epoch-not-raised': [],
  'delivered-before-durable': [],
}
