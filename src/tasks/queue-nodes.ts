import type { Op, ZnodeClient } from '../client/api.ts'
import { ensureNode } from '../recipes/parents.ts'
import { hasCode, untilAnswered } from '../recipes/retry.ts'
import { BUCKETS, QUEUES_ROOT, type QueuePaths } from './queue-paths.ts'

/** Makes all of a queue's fixed nodes in one transaction, so that a queue exists wholly or not at all. Idempotent. */
export async function ensureQueue(client: ZnodeClient, queue: QueuePaths): Promise<void> {
  if ((await untilAnswered(client, () => client.exists(queue.root))) !== null) return
  await ensureNode(client, QUEUES_ROOT)
  const { root, ctl, stat, poke, tasks, workers, mailboxes, dead, schedules, keys } = queue
  const paths = [root, ctl, stat, poke, tasks, workers, mailboxes, dead, schedules, keys]
  for (let i = 0; i < BUCKETS; i++) paths.push(queue.bucket(i), queue.keyBucket(i))
  try {
    await untilAnswered(client, () => client.multi(paths.map((path): Op => ({ op: 'create', path }))))
  } catch (error) {
    if (!hasCode(error, 'NodeExists')) throw error
  }
}
