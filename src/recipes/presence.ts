import type { Data } from '../client/api.ts'
import { dataOrNull, untilChange, untilGone } from './node-change.ts'
import { ensureNode } from './parents.ts'
import { leavePlace } from './place.ts'
import { hasCode, untilAnswered } from './retry.ts'
import type { World } from './world.ts'

/** An ephemeral node that is there for as long as this object and the session live. */
export interface Presence extends AsyncDisposable {
  readonly path: string
  /** Aborts when the node cannot be kept: by `close`, or with the session. Its reason tells. */
  readonly signal: AbortSignal
  /** Resolves when it is written. */
  update(data: Data): Promise<void>
  /** Idempotent. Resolves when the node is gone. */
  close(): Promise<void>
}

/**
 * Keeps an ephemeral node: waits for one of an earlier session to go (it is never taken over: it would vanish with its owner), and makes it anew when
 * somebody deletes it. Resolves when it is there first. Curator: PersistentNode, which writes into the node of whoever has it.
 */
export async function keepPresent(
  world: World,
  path: string,
  data: Data,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Presence> {
  const { client } = world
  const stop = new AbortController()
  const leave = (): void => stop.abort(options.signal?.reason)
  options.signal?.addEventListener('abort', leave, { signal: stop.signal })
  if (options.signal?.aborted) leave()
  let current = data
  const make = async (): Promise<void> => {
    for (;;) {
      stop.signal.throwIfAborted()
      try {
        await untilAnswered(client, () => client.create(path, current, { mode: 'ephemeral' }), stop.signal)
        return
      } catch (error) {
        if (hasCode(error, 'NoNode')) await ensureNode(client, path.slice(0, path.lastIndexOf('/')))
        else if (!hasCode(error, 'NodeExists')) throw error
        else if (await ours()) return
        else await untilGone(client, path, stop.signal)
      }
    }
  }
  const ours = async (): Promise<boolean> => {
    const found = await untilAnswered(client, () => dataOrNull(client, path), stop.signal)
    return found?.stat.ephemeralOwner === client.sessionId
  }
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await untilChange(client, async (watch) => (await dataOrNull(client, path, watch)) !== null, stop.signal)
      if (!(await ours())) await make()
    }
  }
  await make()
  const kept = keep().catch((error: unknown) => stop.abort(error))
  let closed: Promise<void> | null = null
  const close = (): Promise<void> => {
    stop.abort()
    closed ??= kept.then(() => leavePlace(client, path))
    return closed
  }
  return {
    path,
    signal: stop.signal,
    async update(next) {
      stop.signal.throwIfAborted()
      current = next
      try {
        await untilAnswered(client, () => client.setData(path, next), stop.signal)
      } catch (error) {
        // Whoever makes it anew writes what is current.
        if (!hasCode(error, 'NoNode')) throw error
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
