import type { Mutant } from '../mutant.ts'

const recipe = (file: string, find: string, replace: string): Mutant['edits'][number] => ({
  file: `src/recipes/${file}.ts`,
  find,
  replace,
})

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

/** What hundreds of lives do not come upon: a test that makes it happen. */
const tested = (name: string, why: string, file: string, ...edits: Mutant['edits']): Mutant => ({
  name,
  why,
  harness: 'test',
  budget: 1,
  story: file,
  edits,
})

/** Each takes one fence away from the task queue or a recipe. An audit of the committed log, the ledger or a waiter must tell. */
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
  tested(
    'stale-look-ends-runs',
    'a list of leases that was read before a run began ends it',
    'tasks/runs',
    edit('task-worker', 'for (const [name, { run }] of before) if', 'for (const [name, { run }] of this.#runs) if'),
  ),
  tested(
    'unknown-election-is-lost',
    'a candidate whose reply was lost does not look at ctl, and keeps lead',
    'tasks/dispatchers',
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
  tasks(
    'hold-without-guard',
    'the guard of a hold checks nothing',
    400,
    recipe(
      'hold',
      "guard: () => ({ op: 'check', path, version: -1 })",
      "guard: () => ({ op: 'check', path: '/', version: -1 })",
    ),
  ),
  tasks(
    'fence-of-the-place',
    'the fence of a hold is when its place was made',
    400,
    recipe('hold', 'zxid: fence ?? stat.czxid', 'zxid: fence === undefined ? stat.czxid : stat.czxid'),
  ),
  tasks(
    'reader-beside-a-writer',
    'who shares a lock waits for nobody',
    400,
    recipe('place', "(mode === 'exclusive' || place.mode === 'exclusive')", "mode === 'exclusive'"),
  ),
  tasks(
    'second-place',
    'after a lost reply another place is made, and the first is nobody’s: who waits behind it waits for ever',
    400,
    recipe('place', 'if (own !== null) return own', ''),
  ),
  tasks(
    'stolen-beside-a-newcomer',
    'a thief does not look whether somebody came and holds',
    1000,
    recipe('steal', "if (places[0]?.mode === 'exclusive') return []", 'if (places !== null) return []'),
  ),
  tasks(
    'permit-given-twice',
    'the head of the line looks at the permits once, and not again when it takes them',
    1000,
    recipe('semaphore', 'await this.#untilFree(permits, signal)', ''),
  ),
  tasks(
    'count-without-mark',
    'after a lost reply an addition does not look whether it was applied',
    400,
    recipe('mark', 'if (mark?.serial === serial) return mark.zxid', ''),
  ),
]
