import type { CreateMode, ZnodeClient } from '../client/api.ts'
import { hasCode, untilAnswered } from './retry.ts'

/** Creates a node that may already exist, and all above it. Idempotent; the nodes above are persistent. */
export async function ensureNode(
  client: ZnodeClient,
  path: string,
  mode: CreateMode = 'persistent',
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await untilAnswered(client, (options) => client.create(path, null, { ...options, mode }), signal)
      return
    } catch (error) {
      if (hasCode(error, 'NodeExists')) return
      if (!hasCode(error, 'NoNode')) throw error
    }
    await ensureNode(client, path.slice(0, path.lastIndexOf('/')), 'persistent', signal)
  }
}
