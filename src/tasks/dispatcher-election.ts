import { equalBytes, utf8 } from '../base/bytes.ts'
import type { ZnodeClient } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { hasCode, settle, untilAnswered } from '../recipes/retry.ts'
import type { QueuePaths } from './queue-paths.ts'
import * as transitions from './transitions.ts'

/**
 * One try to become the dispatcher of a queue: the term (version of `ctl`), or null if another one leads. After a lost
 * reply `ctl` tells: to find `lead` there would not be enough, since without the term it could not be fenced.
 */
export async function tryElect(
  client: ZnodeClient,
  queue: QueuePaths,
  nonce: string,
  depose: boolean,
): Promise<number | null> {
  try {
    const [written] = await client.multi(transitions.elect(queue, nonce, depose))
    return written?.op === 'setData' ? written.stat.version : null
  } catch (error) {
    if (hasCode(error, 'ConnectionLoss')) {
      await settle(client, queue.ctl)
      const ctl = await untilAnswered(client, () => dataOrNull(client, queue.ctl))
      return ctl?.data != null && equalBytes(ctl.data, utf8(nonce)) ? ctl.stat.version : null
    }
    if (hasCode(error, 'NodeExists')) await resign(client, queue)
    else if (hasCode(error, 'NoNode') && depose) return tryElect(client, queue, nonce, false)
    else if (!hasCode(error, 'NoNode')) throw error
    return null
  }
}

/** Removes this session's `lead`, if it is there: left over from a term that ended, nobody else would ever remove it. */
export async function resign(client: ZnodeClient, queue: QueuePaths): Promise<void> {
  try {
    const ctl = await untilAnswered(client, () => client.getData(queue.ctl))
    const lead = await untilAnswered(client, () => client.exists(queue.lead))
    if (lead?.ephemeralOwner !== client.sessionId) return
    // Whoever led since has raised the version of `ctl`, so this can only hit our own.
    await untilAnswered(client, () => client.multi(transitions.resign(queue, ctl.stat.version)))
  } catch (error) {
    if (!hasCode(error, 'NoNode', 'BadVersion')) throw error
  }
}
