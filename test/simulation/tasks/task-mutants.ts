import type { Mutant } from '../mutant.ts'

const edit = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/tasks/${file}.ts`,
  find,
  replace,
})

const tasks = (name: string, why: string, budget: number, ...edits: Mutant['edits']): Mutant => ({
  name,
  why,
  harness: 'tasks',
  budget,
  edits,
})

/** Each takes one fence away from the task queue. The audit of the committed log, the ledger or a waiter must tell. */
export const TASK_MUTANTS: readonly Mutant[] = [
  tasks(
    'assign-without-fence',
    'a dispatcher that was deposed goes on assigning',
    400,
    edit(
      'transitions',
      'export const assign = (queue: QueuePaths, term: number, assigns: readonly Assign[]): readonly Op[] => [ fence(queue, term),',
      "export const assign = (queue: QueuePaths, _term: number, assigns: readonly Assign[]): readonly Op[] => [ { op: 'check', path: queue.ctl, version: -1 },",
    ),
  ),
  tasks(
    'assign-without-version',
    'a task is assigned although its record has changed since',
    400,
    edit(
      'transitions',
      "{ op: 'check', path: queue.record(id), version: taskVersion },",
      "{ op: 'check', path: queue.record(id), version: taskVersion - taskVersion - 1 },",
    ),
  ),
  tasks(
    'completion-without-lease',
    'a run that lost its lease completes all the same',
    400,
    edit(
      'transitions',
      '[consume(queue, lease), ...rewrite(queue, lease.id, version, record), ...also]',
      "[{ op: 'check', path: queue.record(lease.id), version: -1 }, ...rewrite(queue, lease.id, -1, record), ...also]",
    ),
  ),
  tasks(
    'revoke-of-the-living',
    'a lease is taken from a worker that lives, and its attempt goes on',
    400,
    edit(
      'transitions',
      '...absent(queue.worker(lease.wid)), consume(queue, lease), ...rewrite(queue, lease.id, version, record), ]',
      '...absent(queue.worker(lease.wid)), ...rewrite(queue, lease.id, version, record), ]',
    ),
  ),
  tasks(
    'lease-without-attempt',
    'all attempts of a task have one lease name',
    400,
    edit(
      'queue-paths',
      'leaseName = (id: string, attempt: number)',
      'leaseName = (id: string, _: number, attempt = 0)',
    ),
  ),
  tasks(
    'stale-look-ends-runs',
    'a list of leases that was read before a run began ends it',
    400,
    edit('task-worker', 'for (const [name, { run }] of before) if', 'for (const [name, { run }] of this.#runs) if'),
  ),
  tasks(
    'unknown-election-is-lost',
    'a candidate whose reply was lost does not look at ctl, and keeps lead',
    400,
    edit(
      'dispatcher-election',
      'equalBytes(ctl.data, utf8(nonce)) ? ctl.stat.version : null',
      'equalBytes(ctl.data, utf8(nonce)) ? null : null',
    ),
    edit(
      'dispatcher-election',
      "if (hasCode(error, 'NodeExists')) await resign(client, queue)",
      "if (hasCode(error, 'NodeExists')) return null",
    ),
  ),
]
