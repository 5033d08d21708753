import type { Mutant } from './mutant.ts'

const edit = (find: string, replace: string): Mutant['edits'][number] => ({ file: 'src/zab/relay.ts', find, replace })

/** Ways to break what a follower does for the observers below it. */
export const RELAY_MUTANTS: readonly Mutant[] = [
  {
    name: 'relay-informs-before-commit',
    why: 'a relay tells the observers below it what is only proposed',
    harness: 'walk',
    budget: 20_000,
    edits: [
      edit('relayInform(peer, role, peer.delivered, orders)', 'relayInform(peer, role, peer.durable.zxid, orders)'),
    ],
  },
  {
    name: 'relay-syncs-what-is-not-committed',
    why: 'a relay synchronizes an observer with its whole log, proposals included',
    harness: 'walk',
    budget: 20_000,
    edits: [
      edit('const { history, delivered } = peer', 'const { history } = peer\n  const delivered = peer.durable.zxid'),
    ],
  },
  {
    name: 'relay-answers-old-attempts',
    why: 'a relay passes an answer on to another attempt than the one that asked',
    harness: 'story',
    budget: 1,
    story: 'relay-stale-attempt',
    edits: [
      edit('learner === undefined || learner.nonce !== asked.nonce', 'learner === undefined'),
      edit('{ ...reply, nonce: asked.nonce, tag: asked.tag }', '{ ...reply, nonce: learner.nonce, tag: asked.tag }'),
    ],
  },
  {
    name: 'relay-mixes-questions',
    why: 'a relay gives a question that it passes on a tag such as those of its own clients have',
    harness: 'story',
    budget: 1,
    story: 'relay-sync-reads',
    edits: [edit('role.relay.nextTag++', 'role.relay.nextTag--')],
  },
  {
    name: 'relay-ends-in-silence',
    why: 'a relay that follows no more does not say so to those below',
    harness: 'story',
    budget: 1,
    story: 'relay-lost',
    edits: [
      edit(
        "mark(orders, 'relay-lost')\n    refuse(peer, id, link, nonce, reason, orders)",
        "mark(orders, 'relay-lost')\n    void [id, link, nonce, reason]",
      ),
    ],
  },
  {
    name: 'relay-does-not-wait',
    why: 'a relay cuts off what its observer has and it has not: a leader may have committed it',
    harness: 'story',
    budget: 1,
    story: 'relay-behind',
    edits: [
      edit('if (ofThisEpoch && learner.lastZxid > delivered) return', ''),
      edit("if (plan.mode === 'trunc' && ofThisEpoch)", "if (plan.mode === 'trunc' && peer.now < 0)"),
    ],
  },
]
