import { KeeperError } from '../base/errors.ts'
import type { Data } from '../client/api.ts'
import { checkWait } from './arguments.ts'
import { dataOrNull, untilChange, untilGone } from './node-change.ts'
import { removeOwn, writeOwn } from './own-node.ts'
import { ensureNode } from './parents.ts'
import { aborted, hasCode, settle, untilAnswered } from './retry.ts'
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
  checkWait(options)
  const { client } = world
  const stop = new AbortController()
  const leave = (): void => stop.abort(options.signal && aborted(options.signal))
  options.signal?.addEventListener('abort', leave, { signal: stop.signal })
  if (options.signal?.aborted) leave()
  let current = data
  const make = async (): Promise<void> => {
    for (;;) {
      stop.signal.throwIfAborted()
      try {
        await untilAnswered(client, (call) => client.create(path, current, { ...call, mode: 'ephemeral' }), stop.signal)
        return
      } catch (error) {
        if (hasCode(error, 'NoNode'))
          await ensureNode(client, path.slice(0, path.lastIndexOf('/')), 'persistent', stop.signal)
        else if (!hasCode(error, 'NodeExists')) throw error
        else if (await ours()) return
        else await untilGone(client, path, stop.signal)
      }
    }
  }
  const ours = async (): Promise<boolean> => {
    const found = await untilAnswered(client, (call) => dataOrNull(client, path, call), stop.signal)
    return found?.stat.ephemeralOwner === client.sessionId
  }
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await untilChange(client, async (watch) => (await dataOrNull(client, path, { watch })) !== null, stop.signal)
      if (!(await ours())) await make()
    }
  }
  try {
    await make()
  } catch (error) {
    // It may be made all the same, behind the caller's back.
    settle(client, path)
      .then(() => removeOwn(client, path))
      .catch(() => {})
    throw error
  }
  const kept = keep().catch((error: unknown) => stop.abort(error))
  let closed: Promise<void> | null = null
  const close = (): Promise<void> => {
    stop.abort(new KeeperError('Closed'))
    closed ??= kept.then(() => removeOwn(client, path))
    return closed
  }
  const closeBehind = (): void => void close().catch(() => {})
  if (stop.signal.aborted) closeBehind()
  else stop.signal.addEventListener('abort', closeBehind, { once: true })
  return {
    path,
    signal: stop.signal,
    async update(next) {
      stop.signal.throwIfAborted()
      current = next
      // Where it is not ours now: whoever makes it anew writes what is current.
      await writeOwn(client, path, next, stop.signal)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
