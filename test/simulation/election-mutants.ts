import type { Mutant } from './mutant.ts'

const edit = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/zab/${file}.ts`,
  find,
  replace,
})

/** Ways to break the choice of a leader, and the choice of those who vote. */
export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'retired-voter-is-silent',
    why: 'whoever lost its vote by a record that only its own log holds does not stand, and nobody else can win',
    harness: 'story',
    budget: 1,
    story: 'retired-alone-with-the-record',
    edits: [edit('election', '(amVoter(peer) || isNeeded(peer))', 'amVoter(peer)')],
  },
  {
    name: 'silent-candidate-kept',
    why: 'a vote stays with a candidate that has links and says nothing: a frozen page',
    harness: 'story',
    budget: 1,
    story: 'candidate-frozen',
    edits: [
      edit(
        'election',
        'return link !== undefined && peer.now - link.heardAt <= peer.options.timing.establish',
        'return link !== undefined',
      ),
    ],
  },
  {
    name: 'vote-to-the-dead',
    why: 'a leader gives its only vote to one that may have died since it was last heard',
    harness: 'story',
    budget: 1,
    story: 'vote-to-the-dead',
    edits: [edit('autopilot', 'return stays || learner.heardAt > change.startedAt', 'return true')],
  },
  {
    name: 'hidden-leader-goes-on',
    why: 'a leader whose page is hidden does not give way to one that is seen',
    harness: 'story',
    budget: 1,
    story: 'hidden-leader',
    edits: [edit('sight', 'return sight?.hidden === true &&', 'return false &&')],
  },
  {
    name: 'lead-goes-round',
    why: 'a hidden leader gives way again and again, without a pause that grows',
    harness: 'story',
    budget: 1,
    story: 'hidden-leader',
    edits: [edit('handover', 'Math.min(PAUSE_MAX, gaveWay.pause * 2)', 'PAUSE_MIN')],
  },
  {
    name: 'votes-to-phones-first',
    why: 'votes go to phones and hidden pages while others wait for one',
    harness: 'story',
    budget: 1,
    story: 'voted-in-last',
    edits: [edit('autopilot', 'steady.filter((one) => one.fleeting === last)', 'steady.filter(() => !last)')],
  },
  {
    name: 'vote-kept-by-who-does-not-stand',
    why: 'a vote stays with a candidate that says it does not stand, and the two ask and answer for ever',
    harness: 'story',
    budget: 1,
    story: 'lead-handed-to-the-diverged',
    edits: [
      edit(
        'election',
        'if (empty && role.vote.leader === from) return candidateLost(peer, role, orders)',
        'void empty',
      ),
    ],
  },
  {
    name: 'no-election-jitter-nor-rounds',
    why: 'a looking peer never asks again: elections hang',
    harness: 'zab',
    budget: 2000,
    edits: [
      edit('election', 'if (peer.role === role && peer.now >= role.resendAt) announce', 'if (peer.now < 0) announce'),
    ],
  },
  {
    name: 'round-left-behind',
    why: 'whoever hears of a round that is too far ahead stays where it is, and the two never agree again',
    harness: 'story',
    budget: 1,
    story: 'hostile-round',
    edits: [edit('election', 'peer.round += ROUND_JUMP_MAX', 'if (peer) return')],
  },
  {
    name: 'epoch-left-behind',
    why: 'whoever hears of an epoch that is too far ahead stays where it is, and can follow or lead the other no more',
    harness: 'story',
    budget: 1,
    story: 'hostile-epoch',
    edits: [edit('discovery', 'if (promise > peer.acceptedEpoch)', 'if (promise < peer.acceptedEpoch)')],
  },
  {
    name: 'later-promise-not-gone-after',
    why: 'a leader that hears of a later promise steps down, and begins the next epoch one higher only',
    harness: 'story',
    budget: 1,
    story: 'hostile-promise',
    edits: [edit('discovery', 'return voter ? goAfter(peer, info.acceptedEpoch, reason, orders) :', 'return')],
  },
  {
    name: 'observers-use-up-epochs',
    why: 'an observer brings a leader ahead by what it says that it promised',
    harness: 'story',
    budget: 1,
    story: 'hostile-promise',
    edits: [edit('discovery', '(voter ? LIMITS.epochJumpMax : OBSERVER_AHEAD_MAX)', 'LIMITS.epochJumpMax')],
  },
  {
    name: 'frozen-voter-kept',
    why: 'a voter whose page is frozen keeps its vote for as long as its link is open, and one more death ends all writes',
    harness: 'story',
    budget: 1,
    story: 'voter-frozen',
    edits: [edit('autopilot', 'peer.now - learner.heardAt >= timing.evictAfter', 'false')],
  },
]
