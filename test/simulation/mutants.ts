import { ELECTION_MUTANTS } from './election-mutants.ts'
import type { Mutant } from './mutant.ts'
import { RELAY_MUTANTS } from './relay-mutants.ts'
import { SAFETY_MUTANTS } from './safety-mutants.ts'
import { SERVER_MUTANTS } from './server-mutants.ts'
import { SERVICE_MUTANTS } from './service-mutants.ts'
import { TASK_MUTANTS } from './tasks/task-mutants.ts'

const edit = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/zab/${file}.ts`,
  find,
  replace,
})

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'canary',
    why: 'one replica in some hundreds stops for no reason: a harness that stays green does not look',
    harness: 'walk',
    budget: 2000,
    edits: [
      edit(
        'broadcast',
        "const role = peer.role\n if (role.kind === 'leading' && role.phase === 'broadcast') { propose",
        "const role = peer.role\n if (peer.options.seed % 499 === 7) throw new Error(\"canary\")\n if (role.kind === 'leading' && role.phase === 'broadcast') { propose",
      ),
    ],
  },
  ...SERVICE_MUTANTS,
  ...TASK_MUTANTS,
  ...SAFETY_MUTANTS,
  {
    name: 'ack-before-durable',
    why: 'a follower acknowledges a proposal that its disk does not have (ZOOKEEPER-3023)',
    harness: 'walk',
    budget: 5000,
    edits: [
      edit(
        'broadcast',
        "  write(peer, [{ kind: 'append', entries }], { kind: 'nothing' }, orders)\n}\n\n/** 5.",
        "  write(peer, [{ kind: 'append', entries }], { kind: 'nothing' }, orders)\n  orders.push({ kind: 'send', to: role.leader, link: role.link, message: { kind: 'ack', nonce: role.nonce, zxid: lastZxid(peer.history) } })\n}\n\n/** 5.",
      ),
    ],
  },
  {
    name: 'leader-counts-itself-early',
    why: 'a leader counts its own disk before it has written',
    harness: 'walk',
    budget: 5000,
    edits: [
      edit(
        'broadcast',
        'id === peer.options.id ? peer.durable.zxid :',
        'id === peer.options.id ? lastZxid(peer.history) :',
      ),
    ],
  },
  {
    name: 'newleader-acked-early',
    why: 'NEWLEADER is acknowledged before the history is durable (ZOOKEEPER-3911, 4646)',
    harness: 'walk',
    budget: 20_000,
    edits: [
      edit(
        'synchronization',
        "  role.phase = 'durable'\n",
        "  role.phase = 'durable'\n  learnerSyncStored(peer, role, role.epoch, message.last, orders)\n",
      ),
    ],
  },
  {
    name: 'epoch-before-history',
    why: 'the current epoch is durable before the history that it stands for (ZOOKEEPER-4643)',
    harness: 'walk',
    budget: 60_000,
    edits: [
      edit(
        'synchronization',
        "  changes.push({ kind: 'currentEpoch', epoch: role.epoch })\n",
        "  write(peer, [{ kind: 'currentEpoch', epoch: role.epoch }], { kind: 'nothing' }, orders)\n",
      ),
    ],
  },
  {
    name: 'no-truncation',
    why: 'a learner keeps a tail that the leader does not have (ZOOKEEPER-2845)',
    harness: 'walk',
    budget: 60_000,
    edits: [
      edit('synchronization', "mode: from < learner.lastZxid ? 'trunc' : 'diff', from", "mode: 'diff', from"),
      edit(
        'synchronization',
        "(holdsZxid(peer.history, sync.from) && (sync.mode === 'trunc') === sync.from < lastZxid(peer.history))",
        'holdsZxid(peer.history, sync.from)',
      ),
      edit('history', '!follows(last, entry.zxid)', 'entry.zxid < 0'),
    ],
  },
  {
    name: 'history-committed-early',
    why: 'the leader takes its history for committed before a quorum has it',
    harness: 'walk',
    budget: 5000,
    edits: [
      edit(
        'synchronization',
        'if (!hasQuorum(config, (id) => role.newLeaderAcks.has(id))) return',
        'if (role.newLeaderAcks.size === 0) return',
      ),
    ],
  },
  {
    name: 'followers-may-be-ahead',
    why: 'nobody asks whether the promise quorum knows more than the leader',
    harness: 'walk',
    budget: 60_000,
    edits: [
      edit(
        'discovery',
        'if (beats({ leader: peer.options.id, epoch: ack.currentEpoch, zxid: ack.lastZxid }, role.summary)) {',
        'if (ack.currentEpoch < -1) {',
      ),
    ],
  },
  {
    name: 'promise-counts-twice',
    why: 'an epoch promised before is acknowledged again: two leaders of one epoch',
    harness: 'walk',
    budget: 400_000,
    edits: [
      edit(
        'discovery',
        'return sendAckEpoch(peer, role, false, orders)',
        'return sendAckEpoch(peer, role, true, orders)',
      ),
    ],
  },
  {
    name: 'promise-before-durable',
    why: 'ACKEPOCH leaves before the promise is on the disk',
    harness: 'walk',
    budget: 400_000,
    edits: [
      edit(
        'discovery',
        "{ kind: 'ackEpoch', generation: peer.generation, counts },\n orders,\n )",
        "{ kind: 'nothing' },\n orders,\n )\n sendAckEpoch(peer, role, true, orders)",
      ),
    ],
  },
  {
    name: 'half-is-a-quorum',
    why: 'n/2 instead of more than half',
    harness: 'walk',
    budget: 5000,
    edits: [edit('quorum', 'Math.floor(count / 2) + 1', 'Math.max(1, Math.floor(count / 2))')],
  },
  {
    name: 'no-session-nonce',
    why: 'messages of an aborted attempt over the same link are taken for those of the present one',
    harness: 'walk',
    budget: 60_000,
    edits: [
      edit('step', ' || learner.nonce !== message.nonce', ''),
      edit('step', ' || role.nonce !== message.nonce', ''),
      // Masked by what else the acknowledgement says: taken away too.
      edit('synchronization', 'learner.acked = ack.zxid', 'learner.acked = lastZxid(peer.history)'),
      edit('synchronization', "learner.stage !== 'syncing' || ack.epoch !== role.epoch", "learner.stage !== 'syncing'"),
    ],
  },
  {
    name: 'epoch-not-raised',
    why: 'the new epoch is the highest reported one, not one above it (ZOOKEEPER-1343)',
    harness: 'walk',
    budget: 5000,
    edits: [edit('discovery', 'Math.max(...role.infos.values()) + 1', 'Math.max(1, ...role.infos.values())')],
  },
  {
    name: 'finished-roles-act',
    why: 'a write of a finished role has its effect on the next one (ZOOKEEPER-4712)',
    harness: 'walk',
    budget: 200_000,
    edits: [
      edit('step', 'then.generation !== peer.generation', 'then.generation > peer.generation'),
      // Masked by the wait for the disk between two roles: taken away too.
      edit('election', 'peer.pending.length > 0 || peer.halted', 'peer.halted'),
    ],
  },
  {
    name: 'delivered-before-durable',
    why: 'memory shows what the own disk may still lose (ZOOKEEPER-4882)',
    harness: 'walk',
    budget: 5000,
    edits: [edit('broadcast', 'Math.min(peer.committed, peer.durable.zxid) as Zxid', 'peer.committed')],
  },
  {
    name: 'joint-not-counted-in-commits',
    why: 'while two configurations count, one is enough for a commit',
    harness: 'walk',
    budget: 60_000,
    edits: [edit('quorum', 'return config.old === null ? now :', 'return config.old === null || now >= 0 ? now :')],
  },
  {
    name: 'joint-not-counted-in-promises',
    why: 'while two configurations count, one is enough to promise an epoch',
    harness: 'walk',
    budget: 400_000,
    edits: [
      edit(
        'discovery',
        'hasQuorum(config, (id) => role.infos.has(id))',
        'hasQuorum({ ...config, old: null }, (id) => role.infos.has(id))',
      ),
      edit(
        'discovery',
        'hasQuorum(config, (id) => role.epochAcks.has(id))',
        'hasQuorum({ ...config, old: null }, (id) => role.epochAcks.has(id))',
      ),
    ],
  },
  {
    name: 'joint-not-counted-in-newleader',
    why: 'while two configurations count, one is enough for NEWLEADER',
    harness: 'story',
    budget: 1,
    story: 'joint-newleader',
    edits: [
      edit(
        'synchronization',
        'hasQuorum(config, (id) => role.newLeaderAcks.has(id))',
        'hasQuorum({ ...config, old: null }, (id) => role.newLeaderAcks.has(id))',
      ),
    ],
  },
  {
    name: 'format-raised-unasked',
    why: 'a leader that knows a later log format begins it, whatever the others know',
    harness: 'zab',
    budget: 2000,
    edits: [
      edit('raise-format', 'known = Math.min(known, peer.links.get(id)?.about.format ?? FIRST_FORMAT)', 'void id'),
    ],
  },
  {
    name: 'history-kept-for-ever',
    why: 'memory keeps all of the log that was delivered',
    harness: 'zab',
    budget: 50,
    edits: [edit('broadcast', 'forget(peer.history, upTo, peer.options.historyEntriesMax)', '')],
  },
  {
    name: 'proposes-before-it-delivers',
    why: 'a leader takes requests before its own disk shows the history that it began with',
    harness: 'walk',
    budget: 60_000,
    edits: [
      edit(
        'broadcast',
        "  deliver(peer, orders)\n  orders.push({ kind: 'leading' })",
        "  orders.push({ kind: 'leading' })",
      ),
    ],
  },
  {
    name: 'no-joint-record',
    why: 'the new configuration replaces the old one in one step',
    harness: 'walk',
    budget: 60_000,
    edits: [edit('autopilot', 'voters: change.voters, old: config.voters }', 'voters: change.voters, old: null }')],
  },
  ...ELECTION_MUTANTS,
  ...RELAY_MUTANTS,
  ...SERVER_MUTANTS,
]
