/**
 * Rare branches that hours of lives and walks must have taken: one that was not taken was not tested. What the simulator cannot reach is
 * elsewhere: stolen locks in real browsers, the ends of epochs, rounds and sizes in unit tests, words out of turn in test/unit/zab/hostile.test.ts.
 */
export const REQUIRED_MARKS: readonly string[] = [
  // Elections.
  'candidate-lost',
  'disloyal-learner',
  'early-follower',
  'vote-joined-existing-leader',
  // Discovery.
  'ackepoch-again',
  'follower-ahead',
  // Synchronization, each way.
  'snap-applied',
  'sync-diff',
  'sync-snap',
  'sync-trunc',
  'trunc-applied',
  'late-follower',
  'sync-aborted',
  'proposal-before-uptodate',
  'commit-waits-for-the-log',
  'snapshot-while-committing',
  // What is stale has no effect.
  'stale-linkId-dropped',
  'stale-session-nonce-dropped',
  'stale-write-done',
  'two-links-same-peer',
  // Ends of a role.
  'follower-stepped-down',
  'gives-way',
  'handed-over',
  'leader-stepped-down',
  'no-successor',
  'resume-gap-stepdown',
  'successor',
  // Who votes.
  'candidate',
  'config-abandoned',
  'config-final',
  'config-joint',
  'joint-in-election',
  // Observers.
  'observer-fell-behind',
  // Observers below followers.
  'goes-up',
  'insists',
  'leader-full',
  'offer-taken',
  'redirected',
  'relay-full',
  'relay-learner-dropped',
  'relay-lost',
  'relay-sync-diff',
  'relay-sync-snap',
  // Builds of two ages.
  'ended-UpdateNeeded',
  'format-raised',
  // Stores that fail or go backwards.
  'ended-StorageFailed',
  'readmission-began',
  'readmitted',
  'regression-seen',
  'went-backwards',
  // In the end only a core was healed.
  'healed-a-core',
  // Links that lie.
  'forged-frame-refused',
  'liar-learned',
  'liar-voted',
  // Clients.
  'client-again',
  'client-ephemeral',
  'client-event',
  'client-moved',
  'client-moved-refused',
  'client-multi',
  'client-reaped-after-failover',
  'client-rearmed',
  'client-sync',
  'client-watch',
]

/** Those that nobody hit. */
export const missingMarks = (hit: ReadonlySet<string>): string[] => REQUIRED_MARKS.filter((name) => !hit.has(name))
