import type { Mutant } from './mutant.ts'

const edit = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/${file}.ts`,
  find,
  replace,
})

/** Ways to break what clients are promised. The clients' histories must tell. */
export const SERVICE_MUTANTS: readonly Mutant[] = [
  {
    name: 'seen-zxid-not-checked',
    why: 'a client comes to a replica that is behind what it has seen, and is served',
    harness: 'tree',
    budget: 400,
    edits: [
      edit('server/clients', 'asked.lastZxidSeen > this.#state.applied', 'asked.lastZxidSeen < -1'),
      // Masked by the move's own txn, which the replica applies before it answers: taken away too.
      edit(
        'server/clients',
        "this.#ask({ kind: isNew ? 'createSession' : 'moveSession', session, origin, timeout, password, line })",
        "if (isNew || !this.#state.sessions.get(session)) this.#ask({ kind: isNew ? 'createSession' : 'moveSession', session, origin, timeout, password, line })\n else { connection.takeAwaited(); this.#joined(connection, password, this.#state.applied, { error: 0, outcomes: [], changes: [] }) }",
      ),
    ],
  },
  {
    name: 'sync-answered-locally',
    why: 'a replica answers a sync without asking anybody',
    harness: 'tree',
    budget: 400,
    edits: [edit('server/clients', "this.#out.order({ kind: 'sync', tag })", 'this.synced(tag)')],
  },
  {
    name: 'event-behind-its-answer',
    why: 'a watch fires after the answer that shows the change',
    harness: 'tree',
    budget: 200,
    edits: [
      edit('server/clients', 'for (const change of applied.changes) this.#fire(zxid, change)\n if', 'if'),
      edit(
        'server/clients',
        'if (asker !== undefined) this.#settle(asker, zxid, txn, applied)',
        'if (asker !== undefined) this.#settle(asker, zxid, txn, applied)\n for (const change of applied.changes) this.#fire(zxid, change)',
      ),
    ],
  },
  {
    name: 'one-shot-fires-again',
    why: 'a one-shot watch is not used up',
    harness: 'tree',
    budget: 200,
    edits: [
      edit(
        'server/watches',
        'seers.add(connection)\n if ((modes & uses) !== 0) this.#put',
        'seers.add(connection)\n if (modes < 0) this.#put',
      ),
    ],
  },
  {
    name: 'missed-change-untold',
    why: 'a client that comes back with its watches is not told what happened meanwhile',
    harness: 'tree',
    budget: 400,
    edits: [edit('server/rearm', 'mzxid > since ?', 'mzxid < 0 ?')],
  },
  {
    name: 'close-leaves-an-ephemeral',
    why: 'a session ends, and one of its ephemerals stays',
    harness: 'tree',
    budget: 200,
    edits: [
      edit(
        'tree/apply',
        'new Set([...body.paths, ...state.tree.ephemeralsOf(session)])',
        'new Set(body.paths.slice(1))',
      ),
    ],
  },
  {
    name: 'close-forgets-what-is-on-its-way',
    why: 'the txn that ends a session does not name ephemerals that are proposed and not yet applied (ZOOKEEPER-1208)',
    harness: 'tree',
    budget: 3000,
    edits: [
      edit(
        'tree/prepare',
        'const paths = this.#overlay.ephemeralsOf(session)',
        'const paths = [...this.#state.tree.ephemeralsOf(session)]',
      ),
    ],
  },
  {
    name: 'left-connection-acts',
    why: 'what comes over a connection that its session has left is done all the same (SessionMoved)',
    harness: 'tree',
    budget: 1000,
    edits: [edit('tree/prepare', 'if (known.origin !== origin) return refused(ERROR_CODES.SessionMoved)', '')],
  },
  {
    name: 'new-leader-impatient',
    why: 'a new leader gives sessions less than a full timeout to be heard of',
    harness: 'tree',
    budget: 400,
    edits: [
      edit(
        'server/leader',
        'this.#expiry.touch(id, timeout, now)\n  }',
        'this.#expiry.touch(id, timeout / 20, now)\n  }',
      ),
    ],
  },
  {
    name: 'any-version-will-do',
    why: 'a conditional write does not look at the version',
    harness: 'tree',
    budget: 200,
    edits: [edit('tree/prepare-op', 'expected !== -1 && expected !== current', 'expected < -1')],
  },
  {
    name: 'write-overtakes-its-sync',
    why: 'a write is sent while a sync of its connection has no answer: it can be applied first, and its answer has no place',
    harness: 'tree',
    budget: 400,
    edits: [edit('server/connection', 'return this.#unsynced < this.#pending.length', 'return false')],
  },
  {
    name: 'sleeper-keeps-its-role',
    // Whatever it then does needs a quorum that does not follow it any more: what would be seen in lives is only the time that it loses.
    why: 'a leader that slept answers its backlog as if nothing had happened',
    harness: 'story',
    budget: 1,
    story: 'frozen-leader',
    edits: [edit('zab/liveness', "  stepDown(peer, 'this replica slept', orders)", '')],
  },
  {
    name: 'sync-without-quorum',
    // In lives a deposed leader knows of it by silence before the next one has committed anything: 2,000 of them did not see this.
    why: 'sync is answered without asking whether a quorum still follows',
    harness: 'story',
    budget: 1,
    story: 'sync-read',
    edits: [edit('zab/sync-read', 'if (!confirmed) return', '')],
  },
]
