import type { Data, ZnodeClient } from '../client/api.ts'
import { dataOrNull } from './node-change.ts'
import { hasCode, settle, untilAnswered } from './retry.ts'

/**
 * Removes an ephemeral node whose name others may use too, if it is this session's. A second attempt after a lost reply looks first: another session may
 * have made its own there meanwhile. Idempotent.
 */
export async function removeOwn(client: ZnodeClient, path: string): Promise<void> {
  try {
    for (;;) {
      const found = await untilAnswered(client, () => dataOrNull(client, path))
      if (found?.stat.ephemeralOwner !== client.sessionId) return
      try {
        await client.delete(path, { version: found.stat.version })
        return
      } catch (error) {
        if (!hasCode(error, 'ConnectionLoss', 'BadVersion')) throw error
      }
      await settle(client, path)
    }
  } catch (error) {
    if (!hasCode(error, 'NoNode', 'SessionExpired', 'Closed')) throw error
  }
}

/** Writes into an ephemeral node if it is this session's. False: it is not, or there is none. */
export async function writeOwn(client: ZnodeClient, path: string, data: Data, signal?: AbortSignal): Promise<boolean> {
  for (;;) {
    const found = await untilAnswered(client, (options) => dataOrNull(client, path, options), signal)
    if (found?.stat.ephemeralOwner !== client.sessionId) return false
    const { version } = found.stat
    try {
      await untilAnswered(client, (options) => client.setData(path, data, { ...options, version }), signal)
      return true
    } catch (error) {
      // Another call of this session, or this one whose reply was lost.
      if (!hasCode(error, 'BadVersion')) {
        if (hasCode(error, 'NoNode')) return false
        throw error
      }
    }
  }
}
