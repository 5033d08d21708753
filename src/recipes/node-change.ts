import { KeeperError } from '../base/errors.ts'
import type { ReadOptions, Stat, WatchEvent, ZnodeClient } from '../client/api.ts'
import { aborted, hasCode, untilAnswered } from './retry.ts'

/**
 * Arms a one-shot watch by `arm` and waits until it fires, or until the connection is back after a loss: in both
 * cases read anew. `arm` says false when there is nothing to wait for. Rejects with SessionExpired, Closed or Aborted.
 */
export async function untilChange(
  client: ZnodeClient,
  arm: (watch: (event: WatchEvent) => void) => Promise<boolean>,
  signal?: AbortSignal,
): Promise<void> {
  const unsubscribe = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal))
      signal?.addEventListener('abort', () => reject(aborted(signal)), { signal: unsubscribe.signal })
      client.onState(
        ({ state }) => {
          if (state === 'lost') reject(new KeeperError('SessionExpired'))
          else if (state === 'closed') reject(new KeeperError('Closed'))
          else if (state === 'connected') resolve()
        },
        { signal: unsubscribe.signal },
      )
      untilAnswered(client, () => arm(() => resolve()), signal).then((wait) => {
        if (!wait) resolve()
      }, reject)
    })
  } finally {
    unsubscribe.abort()
  }
}

/** Waits until a node does not exist. Reads by getData, so that no watch stays on a node that is already gone. */
export async function untilGone(client: ZnodeClient, path: string, signal?: AbortSignal): Promise<void> {
  let gone = false
  while (!gone) {
    await untilChange(
      client,
      async (watch) => {
        const node = await dataOrNull(client, path, { watch })
        gone = node === null
        return !gone
      },
      signal,
    )
  }
}

/** getData, with null for a node that does not exist (no watch is left then). */
export async function dataOrNull(
  client: ZnodeClient,
  path: string,
  options: ReadOptions = {},
): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat } | null> {
  try {
    return await client.getData(path, options)
  } catch (error) {
    if (hasCode(error, 'NoNode')) return null
    throw error
  }
}
