import type { Mutant } from './mutant.ts'

const edit = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/zab/${file}.ts`,
  find,
  replace,
})

/** Stores that go backwards and trees that differ, and nobody does anything about it. */
export const SAFETY_MUTANTS: readonly Mutant[] = [
  {
    name: 'backwards-votes',
    why: 'a replica whose store went backwards votes as if nothing had happened',
    harness: 'zab',
    budget: 600,
    edits: [
      edit('peer', '!peer.demoted && isVoter(configOf', 'isVoter(configOf'),
      edit('roles', 'demoted: peer.demoted,', 'demoted: false,'),
      edit('election', 'if (peer.demoted) return', ''),
      edit('election', '(!peer.demoted && !beats(', '(!beats('),
    ],
  },
  {
    name: 'backwards-counts',
    why: 'a learner whose store went backwards promises and acknowledges as if nothing had happened',
    harness: 'walk',
    budget: 20_000,
    edits: [edit('roles', 'demoted: peer.demoted,', 'demoted: false,')],
  },
  {
    name: 'readmitted-at-once',
    why: 'a learner is let in again without a fresh record on a quorum that does without it',
    harness: 'story',
    budget: 1,
    story: 'went-backwards-torn',
    edits: [
      edit(
        'readmission',
        'return config !== null && hasQuorum(config, has)',
        'return config !== null || has(learner.id)',
      ),
    ],
  },
  {
    name: 'readmission-counts-the-learner',
    why: 'the learner itself counts in the quorum that is to do without it',
    harness: 'story',
    budget: 1,
    story: 'went-backwards-torn',
    edits: [
      edit('readmission', 'id !== learner.id &&', ''),
      edit('readmission', '(counted(role, id)?.acked ?? -1)', '(role.learners.get(id)?.acked ?? -1)'),
    ],
  },
  {
    name: 'nobody-is-told',
    why: 'a replica that is told that its store went backwards goes on voting',
    harness: 'zab',
    budget: 3000,
    edits: [edit('readmission', 'peer.demoted || !isBehind(', 'peer.acceptedEpoch >= 0 || !isBehind(')],
  },
  {
    name: 'differs-and-serves',
    why: 'a replica whose tree differs goes on serving',
    harness: 'story',
    budget: 1,
    story: 'diverged-follower',
    edits: [
      edit(
        'step',
        "role.phase === 'broadcast' && isSound(peer, role)",
        "(role.phase === 'broadcast' || isSound(peer, role))",
      ),
    ],
  },
  {
    name: 'differs-and-is-silent',
    why: 'a replica whose tree differs does not notice: it stays so',
    harness: 'zab',
    budget: 200,
    edits: [
      edit('digests', 'const same = role.expected.digest === digest', 'const same = role.expected.zxid === zxid'),
    ],
  },
  {
    name: 'diverged-takes-diff',
    why: 'a replica whose tree is wrong synchronizes its log, which is right already',
    harness: 'zab',
    budget: 200,
    edits: [edit('roles', 'snapshotWanted: peer.snapshotWanted || forTree,', 'snapshotWanted: peer.snapshotWanted,')],
  },
  {
    name: 'contradicted-leader-goes-on',
    why: 'a leader that a quorum contradicts makes everybody as wrong as itself',
    harness: 'story',
    budget: 1,
    story: 'diverged-leader',
    edits: [edit('digests', 'if (!agree) return', 'if (agree || !agree) return')],
  },
  {
    name: 'diverged-relay-goes-on',
    why: 'a relay whose tree differs keeps those below, and gives it to others as a snapshot',
    harness: 'story',
    budget: 1,
    story: 'diverged-below-relay',
    edits: [
      edit('digests', "relayEnds(peer, role, 'its tree is in doubt', orders)", ''),
      edit('digests', 'role.relay.learners.clear()', ''),
      edit('relay', '!isSound(peer, role) ||', ''),
    ],
  },
  {
    name: 'memory-not-durable',
    why: 'what a peer remembers of others is gone with its restart',
    harness: 'story',
    budget: 1,
    story: 'went-backwards-told',
    edits: [
      edit(
        'memory',
        "return [{ kind: 'remember', of: [...peer.memory].map(([id, standing]) => ({ id, ...standing })) }]",
        'return []',
      ),
    ],
  },
]
