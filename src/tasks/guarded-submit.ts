import { fromUtf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import type { Op } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { hasCode, settle, untilAnswered } from '../recipes/retry.ts'
import { type DedupRule, dedupChoice } from './deduplication.ts'
import { type FailedOp, failedOp } from './multi-failure.ts'
import { ensureQueue } from './queue-nodes.ts'
import type { QueuePaths } from './queue-paths.ts'
import { dueAt } from './task-facts.ts'
import { encodeRecord, isTerminal, readRecord, type TaskRecord } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'
import { cancelledRecord, submit } from './transitions.ts'

/** A task that may be added only under conditions: others must be there, or its key must be free. */
export interface GuardedTask {
  readonly id: string
  readonly record: TaskRecord
  readonly dedup: DedupRule | null
  readonly joinsId: boolean
}

const REPAIRS_MAX = 3

const taken = (id: string): KeeperError =>
  new KeeperError('NodeExists', `another task has the id ${id}`, { path: 'id' })

/** The key's node, what to do about who has it, and the record that comes of it. */
type KeyPlan = { readonly ops: readonly Op[]; readonly record: TaskRecord } | { readonly join: string }

/** Resolves with the id of the task: this one's, or that of the one it joins. NodeExists, NoNode (`after`). One transaction, safe to repeat. */
export async function submitGuarded(world: TaskWorld, queue: QueuePaths, task: GuardedTask): Promise<string> {
  const { client } = world
  const { id, record } = task
  const checks = record.after.map((dependency): Op => ({ op: 'check', path: queue.record(dependency), version: -1 }))
  for (let repairs = 0; ; ) {
    const plan = task.dedup === null ? { ops: [], record } : await planKey(world, queue, task, task.dedup)
    if ('join' in plan) return plan.join
    let failed: FailedOp | null
    try {
      await client.multi([...checks, submit(queue, id, encodeRecord(plan.record)), ...plan.ops])
      return id
    } catch (error) {
      if (hasCode(error, 'ConnectionLoss')) await settle(client, queue.root)
      failed = failedOp(error)
      if (failed === null && !hasCode(error, 'ConnectionLoss')) throw error
    }
    const found = readRecord((await untilAnswered(client, () => dataOrNull(client, queue.record(id))))?.data ?? null)
    if (found?.nonce === record.nonce) return id
    if (failed === null) continue
    const { index, code } = failed
    if (index < checks.length && code === 'NoNode') {
      const dependency = record.after[index] ?? ''
      throw new KeeperError('NoNode', `there is no task ${dependency} to wait for`, { path: 'after' })
    }
    if (index === checks.length && code === 'NodeExists') {
      if (found?.name === record.name && task.joinsId) return id
      if (found !== null) throw taken(id)
    } else if (code === 'NoNode' && ++repairs <= REPAIRS_MAX) await ensureQueue(client, queue)
    else if (code !== 'BadVersion' && code !== 'NodeExists') throw new KeeperError(code)
  }
}

async function planKey(world: TaskWorld, queue: QueuePaths, task: GuardedTask, rule: DedupRule): Promise<KeyPlan> {
  const { client, wallTime } = world
  const { id, record } = task
  const path = queue.key(record.dedup)
  const key = await untilAnswered(client, () => dataOrNull(client, path))
  if (key === null) return { ops: [{ op: 'create', path, data: id }], record }
  const mine: Op = { op: 'setData', path, data: id, version: key.stat.version }
  const other = key.data === null ? '' : fromUtf8(key.data)
  // Our own, from a try whose reply was lost: the caller finds the record.
  if (other === id) return { ops: [mine], record }
  const node = other === '' ? null : await untilAnswered(client, () => dataOrNull(client, queue.record(other)))
  const holder = readRecord(node?.data ?? null)
  if (node === null || holder === null) return { ops: [mine], record }
  const blockers = rule.mode === 'rerun' ? await blockersOf(world, queue, holder) : []
  const choice = dedupChoice(rule, {
    ended: isTerminal(holder),
    blocked: blockers.length > 0,
    begun: holder.attempt > 0 || dueAt(holder, node.stat) <= wallTime(),
    age: wallTime() - key.stat.mtime,
  })
  if (choice === 'add') return { ops: [mine], record }
  if (choice === 'follow') return { ops: [mine], record: { ...record, after: [other], onDepFail: 'run' } }
  if (choice === 'replace') {
    const data = encodeRecord(cancelledRecord(holder, `replaced by ${id}`))
    const cancel: Op = { op: 'setData', path: queue.record(other), data, version: node.stat.version }
    // Those that it waits for have not ended, so it cannot have begun: what is cancelled never ran.
    const checks = blockers.map(({ path, version }): Op => ({ op: 'check', path, version }))
    const after = blockers.map(({ id }) => id)
    if (after.length === 0) return { ops: [mine, cancel], record }
    return { ops: [mine, cancel, ...checks], record: { ...record, after, onDepFail: holder.onDepFail } }
  }
  if (choice === 'reject' || holder.name !== record.name) {
    throw new KeeperError('NodeExists', `task ${other} has the key ${record.dedup}`, { path: 'dedup.key' })
  }
  return { join: other }
}

interface Blocker {
  readonly id: string
  readonly path: string
  readonly version: number
}

/** The tasks that keep this one from its first attempt. */
async function blockersOf(world: TaskWorld, queue: QueuePaths, { attempt, after }: TaskRecord): Promise<Blocker[]> {
  if (attempt > 0) return []
  const found = await Promise.all(
    after.map(async (id) => {
      const path = queue.record(id)
      const node = await untilAnswered(world.client, () => dataOrNull(world.client, path))
      const record = readRecord(node?.data ?? null)
      return node === null || record === null || isTerminal(record) ? null : { id, path, version: node.stat.version }
    }),
  )
  return found.filter((one) => one !== null)
}
