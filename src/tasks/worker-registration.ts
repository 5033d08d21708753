import type { WatchNotice, ZnodeClient } from '../client/api.ts'
import { hasCode, untilAnswered, untilConnected } from '../recipes/retry.ts'
import { nonce } from '../recipes/world.ts'
import { ensureQueue } from './queue-nodes.ts'
import type { QueuePaths } from './queue-paths.ts'
import type { TaskWorld } from './task-world.ts'
import * as transitions from './transitions.ts'
import type { WorkerRecord } from './worker-record.ts'

export interface Registration {
  readonly wid: string
  /** Everything in its mailbox, from before the first lease. */
  readonly notices: AsyncIterable<WatchNotice>
  readonly stop: () => void
}

/** Registers under a fresh name. The mailbox is watched first, so no lease is missed. */
export async function registerWorker(world: TaskWorld, queue: QueuePaths, record: WorkerRecord): Promise<Registration> {
  const { client } = world
  for (;;) {
    const wid = nonce(world.random)
    const stop = new AbortController()
    const notices = await untilAnswered(client, () =>
      client.watch(queue.mailbox(wid), { recursive: true, signal: stop.signal }),
    )
    try {
      if (await register(world, queue, wid, record)) return { wid, notices, stop: () => stop.abort() }
    } catch (error) {
      stop.abort()
      throw error
    }
    stop.abort()
  }
}

/** False: that name is not ours (any more). */
async function register(world: TaskWorld, queue: QueuePaths, wid: string, record: WorkerRecord): Promise<boolean> {
  const { client } = world
  for (let repairs = 0; ; ) {
    try {
      await client.multi(transitions.register(queue, wid, record))
      return true
    } catch (error) {
      if (hasCode(error, 'NoNode') && ++repairs <= 3) await ensureQueue(client, queue)
      else if (hasCode(error, 'ConnectionLoss')) await untilConnected(client)
      else if (hasCode(error, 'NodeExists')) {
        const stat = await untilAnswered(client, () => client.exists(queue.worker(wid)))
        return stat?.ephemeralOwner === client.sessionId
      } else throw error
    }
  }
}

/** Leaves. Should a lease be there nevertheless, only the worker goes, and the dispatcher revokes the rest. */
export async function unregisterWorker(client: ZnodeClient, queue: QueuePaths, wid: string): Promise<void> {
  try {
    await untilAnswered(client, () => client.multi(transitions.unregister(queue, wid)))
  } catch (error) {
    if (hasCode(error, 'NotEmpty')) await untilAnswered(client, () => client.delete(queue.worker(wid)))
    else if (!hasCode(error, 'NoNode')) throw error
  }
}
